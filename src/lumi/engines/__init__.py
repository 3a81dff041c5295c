"""The seams VAD, STT, LLM and TTS, the registry, and one file per engine."""
