from pathlib import Path

import pytest

from lumi.server.auth import Admission, Doorkeeper, Rules, Verdict
from lumi.server.origins import Origins
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.store.memory import MemoryStore
from lumi.transport.base import LinkInfo

FAR, HERE = "192.0.2.7", "127.0.0.1"


class House:
    """A registry with one paired device `aa:bb` of the installation `c`."""

    def __init__(self, place: Path) -> None:
        self.now = 1_700_000_000.0
        self.registry = DeviceRegistry(MemoryStore(), lambda: self.now, SecretFile(place / "s"))

    async def pair(self, device_id: str = "aa:bb", client_id: str = "c") -> None:
        await self.registry.confirm((await self.registry.ask(device_id, client_id)).code)

    def keeper(self, **rules: object) -> Doorkeeper:
        return Doorkeeper(Rules(**rules), Origins("0.0.0.0"), self.registry)  # type: ignore[arg-type]


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


def info(device: str = "", client: str = "", token: str = "", remote: str = FAR, **headers: str) -> LinkInfo:
    given = {"device-id": device, "client-id": client, "authorization": token and f"Bearer {token}"}
    return LinkInfo(headers={name: value for name, value in given.items() if value} | headers, remote=remote)


def test_where_nothing_is_locked_everybody_is_welcome_and_any_token_is_ignored():
    keeper = Doorkeeper()
    assert keeper.judge(info()) == Admission(Verdict.WELCOME, final=False)
    assert keeper.judge(info("aa:bb", token="whatever")) == Admission(Verdict.WELCOME, "aa:bb")


@pytest.mark.parametrize("remote", [FAR, HERE])
def test_static_tokens_are_asked_of_everybody(remote):
    keeper = Doorkeeper(Rules(tokens=("let-me-in", "another-one")))
    assert keeper.judge(info(remote=remote)).verdict is Verdict.NO_TOKEN
    for token in ("let-me-in", "another-one"):
        assert keeper.judge(info(token=token, remote=remote)).verdict is Verdict.WELCOME
    for token in ("let-me", "let-me-in!", "wörng", "\udcff"):
        assert keeper.judge(info(token=token, remote=remote)).verdict is Verdict.BAD_TOKEN


def test_an_allowed_device_needs_its_name_only():
    keeper = Doorkeeper(Rules(allowed=frozenset({"aa:bb"})))
    assert keeper.judge(info("aa:bb")).verdict is Verdict.WELCOME
    assert keeper.judge(info("cc:dd")).verdict is Verdict.NO_TOKEN


async def test_strangers_pair_and_who_was_let_in_comes_by_its_names(house):
    keeper = house.keeper(pairing=True)
    assert keeper.judge(info("aa:bb", "c")) == Admission(Verdict.PAIRING, "aa:bb", "c")
    await house.pair()
    assert keeper.judge(info("aa:bb", "c")) == Admission(Verdict.WELCOME, "aa:bb", "c")
    assert keeper.judge(info("aa:bb", "another")).verdict is Verdict.PAIRING
    assert house.keeper(allowed=frozenset({"x"})).judge(info("aa:bb", "another")).verdict is (
        Verdict.CLIENT_CHANGED
    )


async def test_who_got_a_token_must_show_it(house):
    await house.pair()
    token = await house.registry.token_for("aa:bb")
    keeper = house.keeper(pairing=True)
    assert keeper.judge(info("aa:bb", "c")).verdict is Verdict.NO_TOKEN
    assert keeper.judge(info("aa:bb", "c", token)).verdict is Verdict.WELCOME
    assert keeper.judge(info("aa:bb", "c", "wrong.1")).verdict is Verdict.BAD_TOKEN
    assert keeper.judge(info("new", "c", "wrong.1")).verdict is Verdict.BAD_TOKEN


@pytest.mark.parametrize("odd", ["\udcff", "\udcff.1", "a\udcff.1700000000", "\udcff\udcfe.\udcfd"])
async def test_bytes_that_are_no_text_are_a_wrong_token_and_no_name(house, odd):
    await house.pair()
    await house.registry.token_for("aa:bb")
    for rules in ({"pairing": True}, {"tokens": ("let-me-in",)}, {"allowed": frozenset({"aa:bb"})}):
        keeper = house.keeper(**rules)
        assert keeper.judge(info("aa:bb", "c", odd)).verdict is Verdict.BAD_TOKEN
        assert keeper.judge(info("aa:bb", odd, "wrong.1")).verdict is Verdict.BAD_TOKEN
        assert keeper.judge(info("\udcff", "c")).device_id is None


async def test_a_token_says_whose_it_is_whatever_name_is_given(house):
    await house.pair()
    token = await house.registry.token_for("aa:bb")
    found = house.keeper(pairing=True).judge(info("cc:dd", "z", token))
    assert (found.verdict, found.device_id, found.final) == (Verdict.WELCOME, "aa:bb", True)


async def test_expired_and_revoked_tokens_have_reasons_of_their_own(house):
    await house.pair()
    token = await house.registry.token_for("aa:bb")
    keeper = house.keeper(pairing=True)
    house.now += 30 * 24 * 3600 + 1
    assert keeper.judge(info("aa:bb", "c", token)).verdict is Verdict.EXPIRED_TOKEN
    house.now -= 1000
    await house.registry.revoke("aa:bb")
    assert keeper.judge(info("", "", token)).verdict is Verdict.REVOKED
    assert keeper.judge(info("aa:bb", "c")).verdict is Verdict.REVOKED


async def test_a_revoked_device_stays_out_also_with_a_static_token_and_where_nothing_is_locked(house):
    await house.pair()
    await house.registry.revoke("aa:bb")
    assert (
        house.keeper(tokens=("let-me-in",)).judge(info("aa:bb", "c", "let-me-in")).verdict is Verdict.REVOKED
    )
    assert house.keeper().judge(info("aa:bb")).verdict is Verdict.REVOKED
    assert house.keeper(pairing=True).judge(info("aa:bb", remote=HERE)).verdict is Verdict.REVOKED


async def test_this_machine_need_not_pair_with_itself_but_a_proxy_must(house):
    keeper = house.keeper(pairing=True)
    assert keeper.judge(info("new", remote=HERE)).verdict is Verdict.WELCOME
    assert keeper.judge(info("new", remote=FAR)).verdict is Verdict.PAIRING
    proxied = info("new", remote=HERE, **{"x-forwarded-for": FAR})
    assert keeper.judge(proxied).verdict is Verdict.PAIRING


async def test_a_page_under_a_borrowed_name_is_refused_where_this_machine_shows_nothing(house):
    keeper = house.keeper(pairing=True)
    borrowed = {"origin": "http://evil.example:8000", "host": "evil.example:8000"}
    assert keeper.judge(info(remote=HERE, **borrowed)).verdict is Verdict.BAD_ORIGIN
    assert keeper.judge(info(remote=FAR, **borrowed)).verdict is Verdict.PAIRING, "and hears a code, no more"


async def test_a_device_may_be_named_by_its_hello_alone(house):
    keeper = house.keeper(pairing=True)
    await house.pair("aa:bb", "")
    came = info()
    unnamed = keeper.judge(came)
    assert unnamed == Admission(Verdict.PAIRING, final=False)
    assert keeper.greet(came, unnamed, "aa:bb").verdict is Verdict.WELCOME
    assert keeper.greet(came, unnamed, "cc:dd") == Admission(Verdict.PAIRING, "cc:dd")
    assert keeper.greet(came, unnamed, None) == unnamed
    await house.registry.revoke("aa:bb")
    assert keeper.greet(came, unnamed, "aa:bb").verdict is Verdict.REVOKED
    named = keeper.judge(info("cc:dd"))
    assert keeper.greet(info("cc:dd"), named, "aa:bb") == named, "the request's name is the stronger one"


async def test_a_token_in_the_hello_counts_like_one_in_the_request_that_has_none(house):
    await house.pair()
    token = await house.registry.token_for("aa:bb")
    keeper = house.keeper(pairing=True)
    for came in (info(), info("aa:bb", "c"), info("new", "z")):
        first = keeper.judge(came)
        assert first.verdict is not Verdict.WELCOME
        found = keeper.greet(came, first, "whoever", token)
        assert (found.verdict, found.device_id) == (Verdict.WELCOME, "aa:bb")
        assert keeper.greet(came, first, "whoever", "wrong.1").verdict is Verdict.BAD_TOKEN
    house.now += 31 * 24 * 3600
    assert keeper.greet(info(), keeper.judge(info()), None, token).verdict is Verdict.EXPIRED_TOKEN


async def test_a_token_in_the_hello_is_ignored_where_the_request_showed_one_or_none_is_asked(house):
    await house.pair()
    token = await house.registry.token_for("aa:bb")
    keeper = house.keeper(pairing=True)
    for came in (info(token=token), info("new", remote=HERE)):
        first = keeper.judge(came)
        assert keeper.greet(came, first, None, "wrong.1") == first
    came = info("other")
    assert Doorkeeper().greet(came, Doorkeeper().judge(came), None, "wrong.1").device_id == "other"


def test_without_a_token_the_hello_lets_in_nobody_whom_the_request_did_not():
    keeper = Doorkeeper(Rules(allowed=frozenset({"aa:bb"})))
    refused = keeper.judge(info())
    assert refused.verdict is Verdict.NO_TOKEN
    assert keeper.greet(info(), refused, "aa:bb") == refused


async def test_who_was_shut_out_between_request_and_hello_is_told_so(house):
    await house.pair()
    keeper, came = house.keeper(pairing=True), info("aa:bb", "c")
    first = keeper.judge(came)
    assert first.verdict is Verdict.WELCOME
    await house.registry.revoke("aa:bb")
    assert keeper.greet(came, first, None).verdict is Verdict.REVOKED
