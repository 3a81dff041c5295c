from lumi.engines.wake_repeats import WakeRepeats
from lumi.testing.sounds import silence


def test_a_word_is_told_once_until_it_has_been_quiet():
    repeats = WakeRepeats(1.0)
    assert repeats.is_new("alexa")
    for _ in range(5):
        repeats.add(silence(600))
        assert not repeats.is_new("alexa")
    assert repeats.is_new("okay_nabu")
    repeats.add(silence(1_100))
    assert repeats.is_new("alexa")
