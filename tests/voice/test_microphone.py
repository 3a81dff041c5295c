from lumi.voice.endpointing import EndpointingSettings
from lumi.voice.microphone import Microphone, Mode, State
from lumi.voice.utterance import Utterance

WINDOW = bytes(1024)  # 32 ms
LOUD, SILENT = (0.9,), (0.05,)


class Witness:
    """Takes down what a microphone tells."""

    def __init__(self, **settings: float) -> None:
        self.begun: list[Utterance] = []
        self.ended: list[Utterance] = []
        self.microphone = Microphone(EndpointingSettings(**settings), self.begun.append, self.ended.append)

    def hear(self, *runs: tuple[int, tuple[float, ...]]) -> None:
        for count, speech in runs:
            for _ in range(count):
                self.microphone.hear(WINDOW, speech)


async def heard(utterance: Utterance) -> int:
    """Windows of sound in it."""
    return len([piece async for piece in utterance])


async def test_closed_it_drops_and_counts() -> None:
    witness = Witness()
    witness.hear((10, LOUD))
    assert witness.begun == []
    assert witness.microphone.dropped_ms == 320


async def test_auto_begins_with_speech_and_ends_with_silence_once() -> None:
    witness = Witness()
    witness.microphone.open(Mode.AUTO)
    witness.hear((30, SILENT), (20, LOUD), (30, SILENT))
    (utterance,) = witness.ended
    assert witness.begun == [utterance]
    assert witness.microphone.state is State.CLOSED
    assert utterance.speech_ms >= 19 * 32
    pre_roll = (300 + 256) // 32
    assert pre_roll + 20 <= await heard(utterance) <= pre_roll + 20 + 700 // 32 + 2
    witness.hear((20, LOUD), (30, SILENT))
    assert len(witness.begun) == 1


async def test_a_click_begins_nothing() -> None:
    witness = Witness()
    witness.microphone.open(Mode.AUTO)
    witness.hear((5, SILENT), (1, LOUD), (40, SILENT))
    assert witness.begun == []
    assert witness.microphone.state is State.WAITING


async def test_manual_takes_everything_until_it_is_closed() -> None:
    witness = Witness()
    witness.microphone.open(Mode.MANUAL)
    witness.hear((40, SILENT), (3, LOUD))
    assert len(witness.begun) == 1
    assert witness.ended == []
    witness.microphone.close()
    assert witness.ended == witness.begun
    assert await heard(witness.ended[0]) == 43
    assert witness.ended[0].speech_ms == 96


async def test_realtime_stays_open() -> None:
    witness = Witness()
    witness.microphone.open(Mode.REALTIME)
    for _ in range(3):
        witness.hear((20, LOUD), (30, SILENT))
    assert len(witness.ended) == 3
    assert witness.microphone.state is State.WAITING


async def test_opening_again_in_the_same_mode_changes_nothing() -> None:
    witness = Witness()
    witness.microphone.open(Mode.AUTO)
    witness.hear((10, LOUD))
    witness.microphone.open(Mode.AUTO)
    states = [witness.microphone.state]
    witness.microphone.open(Mode.MANUAL)
    states.append(witness.microphone.state)
    assert states == [State.HEARING, State.WAITING]
    assert witness.ended == []


async def test_closing_what_was_never_spoken_to_ends_nothing() -> None:
    witness = Witness()
    witness.microphone.close()
    witness.microphone.open(Mode.AUTO)
    witness.microphone.close()
    assert witness.ended == []


async def test_the_end_of_audio_ends_only_an_utterance_that_has_begun() -> None:
    witness = Witness()
    witness.microphone.open(Mode.AUTO)
    witness.microphone.end_of_audio()
    assert witness.microphone.state is State.WAITING
    witness.hear((10, LOUD))
    witness.microphone.end_of_audio()
    assert len(witness.ended) == 1


async def test_what_is_dropped_is_never_ended() -> None:
    witness = Witness()
    witness.microphone.open(Mode.AUTO)
    witness.hear((10, LOUD))
    witness.microphone.drop()
    witness.hear((40, SILENT))
    assert witness.ended == []


async def test_an_endless_utterance_is_cut() -> None:
    witness = Witness(max_utterance_ms=3_200)
    witness.microphone.open(Mode.MANUAL)
    witness.hear((120, LOUD))
    assert len(witness.ended) == 1
    assert witness.microphone.state is State.CLOSED
    witness = Witness(max_utterance_ms=3_200)
    witness.microphone.open(Mode.AUTO)
    witness.hear((120, LOUD))
    assert len(witness.ended) == 1


async def test_a_begun_that_drops_is_obeyed() -> None:
    begun: list[Utterance] = []

    def refuse(utterance: Utterance) -> None:
        begun.append(utterance)
        microphone.drop()

    ended: list[Utterance] = []
    microphone = Microphone(EndpointingSettings(), refuse, ended.append)
    for mode in (Mode.MANUAL, Mode.AUTO):
        microphone.open(mode)
        for _ in range(20):
            microphone.hear(WINDOW, LOUD)
        assert microphone.state is State.CLOSED
    assert len(begun) == 2
    assert ended == []
