import pytest

from lumi.config.tree import Place, find, is_secret, known_paths


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), Place.TABLE),
        (("server",), Place.TABLE),
        (("server", "port"), Place.LEAF),
        (("server", "port", "x"), Place.UNKNOWN),
        (("nothing",), Place.UNKNOWN),
        (("stt", "options"), Place.FREE),
        (("stt", "options", "any", "depth"), Place.FREE),
        (("engines",), Place.NAMED),
        (("engines", "spare"), Place.TABLE),
        (("engines", "spare", "model"), Place.LEAF),
        (("engines", "spare", "nothing"), Place.UNKNOWN),
        (("engines", "spare", "options", "x"), Place.FREE),
    ],
)
def test_every_path_has_its_place(path, place):
    assert find(path).place is place


def test_secrets_are_known_wherever_they_stand():
    assert is_secret(("server", "token"))
    assert is_secret(("engines", "spare", "api_key"))
    assert not is_secret(("server", "port"))
    assert not is_secret(("stt", "options", "token"))


def test_all_leaves_are_known_and_those_of_a_name_that_is_asked_for():
    assert ("server", "port") in set(known_paths())
    assert not [path for path in known_paths() if path[0] == "engines"]
    assert ("engines", "spare", "model") in set(known_paths(("engines", "spare", "modul")))
