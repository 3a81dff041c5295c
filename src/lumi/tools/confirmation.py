"""Tools that open doors or spend money: the user is asked, and only a clear yes in the next turn calls them."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from dataclasses import dataclass

from lumi.engines.base import ToolCall

ONE_AT_A_TIME = "Not done: the user can be asked about one thing at a time."
"""What a model is told of a second one."""
KEPT_S = 120.0
"""How long after the question a yes still counts."""

_EDGES = re.compile(r"[\s.,;:!?。,、~…\"'‘’“”—!?;:]+")
_YES = frozenset(
    """yes | yes please | yes do it | yes do that | yes do | yes i am sure | yeah | yep | yup | sure | sure do it
    do it | please do it | do that | please do | go ahead | yes go ahead | confirm | confirmed | i confirm | of course
    certainly | absolutely | ok | okay | ok do it | okay do it | yes ok | yes okay | 是 | 是的 | 是啊 | 好 | 好的 | 好啊 | 好吧 | 可以
    可以的 | 对 | 对的 | 行 | 确定 | 确认 | 确定的 | 没错 | 要 | 要的 | 嗯 | 嗯嗯 | 去吧 | 做吧 | 执行 | 执行吧 | 请执行 | 没问题 | 当然 | 是的请执行 | 是的确定""".replace(
        "\n", "|"
    )
    .replace(" ", "")
    .split("|")
)
_NO = frozenset(
    """no | no thanks | no thank you | nope | no do not | do not | don t | please don t | no don t | do not do it
    don t do it | cancel | cancel that | cancel it | stop | never mind | nevermind | forget it | leave it | not now | rather not
    不 | 不要 | 不用 | 不用了 | 不是 | 不行 | 不可以 | 不好 | 别 | 别做 | 算了 | 取消 | 停 | 停止 | 先不要 | 不必 | 不了 | 不要了""".replace(
        "\n", "|"
    )
    .replace(" ", "")
    .split("|")
)


def is_yes(text: str) -> bool:
    """Whether the whole of what was said is a clear yes."""
    return _even(text) in _YES


def is_no(text: str) -> bool:
    """Whether the whole of what was said is a clear no."""
    return _even(text) in _NO


def _even(text: str) -> str:
    return _EDGES.sub("", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True, slots=True)
class Answered:
    """What the user's words mean for the question before them. Neither: there was none, or they spoke of something else."""

    call: ToolCall | None = None
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    call: ToolCall
    expires_at: float


class Confirmation:
    """The one question that may be open in a session. It is closed by whatever is said next."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._pending: Pending | None = None

    def ask(self, call: ToolCall) -> None:
        """The user is being asked about this; a question before it is dropped."""
        self._pending = Pending(call, asyncio.get_running_loop().time() + self._kept_s)

    def take(self) -> ToolCall | None:
        """Close the question; what it was about, if it may still be answered."""
        pending, self._pending = self._pending, None
        late = pending is not None and asyncio.get_running_loop().time() > pending.expires_at
        return None if pending is None or late else pending.call

    def answered(self, text: str) -> Answered:
        """Close the question; a clear yes, in time, gives the call, once."""
        call = self.take()
        if call is None:
            return Answered()
        return Answered(call=call) if is_yes(text) else Answered(declined=is_no(text))
