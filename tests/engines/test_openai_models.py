import pytest

from lumi.engines.openai_models import Kind, choose

OPENAI = [
    "text-embedding-3-small",
    "dall-e-3",
    "whisper-1",
    "tts-1",
    "gpt-4o-mini-tts",
    "gpt-4o-realtime-preview",
    "gpt-5-mini",
]


@pytest.mark.parametrize(
    ("kind", "models", "chosen"),
    [
        ("llm", OPENAI, "gpt-5-mini"),
        ("stt", OPENAI, "whisper-1"),
        ("tts", OPENAI, "tts-1"),
        ("llm", ["nomic-embed-text", "qwen3:4b", "llama3.2"], "qwen3:4b"),
        ("llm", ["bge-m3"], "bge-m3"),
        (
            "stt",
            ["Systran/faster-whisper-small", "speaches-ai/Kokoro-82M-v1.0-ONNX"],
            "Systran/faster-whisper-small",
        ),
        (
            "tts",
            ["Systran/faster-whisper-small", "speaches-ai/Kokoro-82M-v1.0-ONNX"],
            "speaches-ai/Kokoro-82M-v1.0-ONNX",
        ),
        ("stt", ["FunAudioLLM/SenseVoiceSmall"], "FunAudioLLM/SenseVoiceSmall"),
        ("tts", ["my-own"], "my-own"),
        ("tts", ["one", "two"], None),
        ("llm", [], None),
    ],
)
def test_a_model_is_chosen_by_what_its_name_says(kind: Kind, models: list[str], chosen: str | None) -> None:
    assert choose(kind, models) == chosen
