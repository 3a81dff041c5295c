from lumi.server.kit import Kit
from lumi.server.wyoming_info import info_of
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts


class EnglishStt(ScriptedStt):
    languages = ("en",)


def test_engines_are_shown_with_the_languages_they_know():
    info = info_of(Kit(EnglishStt(), ScriptedLlm(), ScriptedTts()), "0.2.0")
    (asr,), (tts,), (handle,) = info.asr, info.tts, info.handle
    assert {program.name for program in (asr, tts, handle)} == {"lumi"}
    assert (asr.models[0].name, asr.models[0].languages, asr.version) == ("scripted-stt", ["en"], "0.2.0")
    assert tts.voices[0].languages == handle.models[0].languages == ["en", "zh"]
    assert all(program.installed for program in (asr, tts, handle))
