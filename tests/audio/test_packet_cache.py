from lumi.audio.format import AudioFormat
from lumi.audio.packet_cache import PacketCache, PacketKey


def key(text: str, audio: AudioFormat = AudioFormat()) -> PacketKey:  # noqa: B008 - frozen
    return PacketKey("espeak", "any", text, audio)


def test_a_sentence_spoken_before_is_found_again() -> None:
    cache = PacketCache(10_000)
    assert cache.get(key("hello")) is None
    cache.put(key("hello"), (b"1", b"2"))
    assert cache.get(key("hello")) == (b"1", b"2")
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)


def test_another_format_is_another_sentence() -> None:
    cache = PacketCache(10_000)
    cache.put(key("hello"), (b"1",))
    assert cache.get(key("hello", AudioFormat(sample_rate_hz=24_000))) is None


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = PacketCache(6_000)
    for text in "abcd":
        cache.put(key(text), (bytes(1_000),))
    assert cache.get(key("a")) is not None
    cache.put(key("e"), (bytes(1_000),))
    assert cache.get(key("b")) is None
    assert cache.get(key("a")) is not None
    assert cache.size_bytes <= 6_000


def test_the_same_sentence_is_counted_once() -> None:
    cache = PacketCache(10_000)
    cache.put(key("a"), (bytes(100),))
    size = cache.size_bytes
    cache.put(key("a"), (bytes(100),))
    assert cache.size_bytes == size


def test_one_sentence_does_not_fill_the_room_and_nothing_is_not_kept() -> None:
    cache = PacketCache(1_000)
    cache.put(key("long"), (bytes(900),))
    cache.put(key("empty"), ())
    PacketCache(0).put(key("a"), (b"1",))
    assert len(cache) == 0
