"""What a turn says when it cannot say what it should: short, in the listener's language."""

from __future__ import annotations

from enum import StrEnum


class Phrase(StrEnum):
    """Occasions."""

    NOT_UNDERSTOOD = "not_understood"
    STT_FAILED = "stt_failed"
    LLM_FAILED = "llm_failed"
    NO_ANSWER = "no_answer"
    LANGUAGE_UNHEARD = "language_unheard"
    GOODBYE = "goodbye"


_WORDINGS: dict[str, dict[Phrase, str]] = {
    "en": {
        Phrase.GOODBYE: "Goodbye!",
        Phrase.NOT_UNDERSTOOD: "Sorry, I didn't catch that.",
        Phrase.STT_FAILED: "Sorry, I can't hear properly right now. Please try again.",
        Phrase.LLM_FAILED: "Sorry, I can't think of an answer right now. Please try again.",
        Phrase.NO_ANSWER: "Sorry, I have no answer to that.",
        Phrase.LANGUAGE_UNHEARD: (
            "Sorry, I didn't catch that. The built-in recogniser understands English commands only. "
            "You can type to me. For Chinese speech, run lumi models add sense-voice on the server."
        ),
    },
    "zh": {
        Phrase.GOODBYE: "再见！",
        Phrase.NOT_UNDERSTOOD: "抱歉，我没有听清。",
        Phrase.STT_FAILED: "抱歉，我现在听不清楚，请再试一次。",
        Phrase.LLM_FAILED: "抱歉，我现在想不出答案，请再试一次。",
        Phrase.NO_ANSWER: "抱歉，这个我答不上来。",
        Phrase.LANGUAGE_UNHEARD: (
            "抱歉，我没有听清。内置的语音识别只听得懂英语指令。您可以打字和我说；要识别中文语音，请在服务器上运行 lumi models add sense-voice。"
        ),
    },
}


def phrase(occasion: Phrase, language: str) -> str:
    """The wording for an occasion in `zh` or, for any other language, English."""
    return _WORDINGS["zh" if language.startswith("zh") else "en"][occasion]
