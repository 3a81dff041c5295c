"""What a turn says when it cannot say what it should: short, in the listener's language."""

from __future__ import annotations

import math
from enum import StrEnum

from lumi.errors import EngineError, EngineTimeSpent, Trouble
from lumi.voice.events import Stage


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


_SUBJECTS: dict[str, dict[Stage, str]] = {
    "en": {Stage.STT: "the speech recogniser", Stage.LLM: "the language model", Stage.TTS: "the voice"},
    "zh": {Stage.STT: "语音识别", Stage.LLM: "语言模型", Stage.TTS: "语音合成"},
}
_EXCUSES: dict[str, dict[Trouble, str]] = {
    "en": {
        Trouble.FAILED: "Sorry, {who} failed. Please try again.",
        Trouble.UNREACHABLE: "Sorry, {who} cannot be reached.",
        Trouble.KEY_REFUSED: "Sorry, {who} does not accept my key. Please check the settings.",
        Trouble.UNKNOWN_MODEL: "Sorry, {who} named in the settings does not exist. Please check them.",
        Trouble.NO_CREDIT: "Sorry, the account for {who} has no credit left. Please top it up.",
        Trouble.BUSY: "Sorry, {who} is busy. Please try again {when}.",
        Trouble.SLOW: "Sorry, {who} takes too long. Please try again.",
        Trouble.GARBLED: "Sorry, {who} gave no whole answer. Please try again.",
        Trouble.REFUSED: "Sorry, {who} will not take this request.",
        Trouble.SPENT: "Sorry, this device has talked enough for this hour. Please try again {when}.",
    },
    "zh": {
        Trouble.FAILED: "抱歉，{who}出错了，请再试一次。",
        Trouble.UNREACHABLE: "抱歉，连不上{who}。",
        Trouble.KEY_REFUSED: "抱歉，{who}不接受我的密钥，请检查设置。",
        Trouble.UNKNOWN_MODEL: "抱歉，设置里写的{who}型号不存在，请检查设置。",
        Trouble.NO_CREDIT: "抱歉，{who}的账户余额不足，请充值。",
        Trouble.BUSY: "抱歉，{who}正忙，请{when}再试。",
        Trouble.SLOW: "抱歉，{who}太久没有回应，请再试一次。",
        Trouble.GARBLED: "抱歉，{who}的回答不完整，请再试一次。",
        Trouble.REFUSED: "抱歉，{who}不接受这个请求。",
        Trouble.SPENT: "抱歉，这台设备这个小时的使用时间已经用完，请{when}再试。",
    },
}
_SECONDS_TOLD_S = 120
"""Who has to wait longer is told in minutes."""

_LONGEST_WAIT_S = 3600
"""Who has to wait longer than this is not told for how long."""

_PLAIN = {Stage.STT: Phrase.STT_FAILED, Stage.LLM: Phrase.LLM_FAILED}
"""Where nothing is known of a failure, it is said from the assistant's side."""


def excuse(stage: Stage, error: EngineError, language: str) -> str:
    """What to say of an engine's failure: what happened, and when or where it can be mended."""
    if error.trouble is Trouble.FAILED and stage in _PLAIN:
        return phrase(_PLAIN[stage], language)
    known = "zh" if language.startswith("zh") else "en"
    return _EXCUSES[known][error.trouble].format(
        who=_SUBJECTS[known].get(stage, ""), when=_when(error.retry_after_s, known)
    )


def worth_saying(error: EngineError) -> bool:
    """Whether a failure is said aloud, where it can be: who has had its engine time is told now and then only."""
    return not isinstance(error, EngineTimeSpent) or error.aloud()


def _when(seconds: float | None, language: str) -> str:
    if seconds is None or seconds > _LONGEST_WAIT_S:
        return "稍后" if language == "zh" else "later"
    whole, unit, unit_zh = max(1, math.ceil(seconds)), "second", "秒"
    if seconds > _SECONDS_TOLD_S:
        whole, unit, unit_zh = math.ceil(seconds / 60), "minute", "分钟"
    return f"{whole}{unit_zh}后" if language == "zh" else f"in {whole} {unit}{'' if whole == 1 else 's'}"
