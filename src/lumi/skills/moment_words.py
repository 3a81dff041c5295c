"""The words of `lumi.skills.moments`, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lumi.engines.base import Language
from lumi.skills import chinese_moments, english_moments
from lumi.skills.moments import Moment

_FEASTS: Mapping[str, Moment] = MappingProxyType(
    {
        "christmas": Moment(month=12, day=25), "christmas day": Moment(month=12, day=25),
        "christmas eve": Moment(month=12, day=24), "new year": Moment(month=1, day=1),
        "new years day": Moment(month=1, day=1), "new year's day": Moment(month=1, day=1),
        "halloween": Moment(month=10, day=31), "valentine's day": Moment(month=2, day=14),
        "圣诞节": Moment(month=12, day=25), "圣诞": Moment(month=12, day=25), "平安夜": Moment(month=12, day=24),
        "元旦": Moment(month=1, day=1), "新年": Moment(month=1, day=1), "国庆节": Moment(month=10, day=1),
        "国庆": Moment(month=10, day=1), "劳动节": Moment(month=5, day=1), "情人节": Moment(month=2, day=14),
    }
)  # fmt: skip


def parse(text: str, language: Language) -> Moment | None:
    """The moment that a text names, whole; `None` if it names none."""
    if len(text) > 100:
        return None
    if feast := _FEASTS.get(text.lower()):
        return feast
    return chinese_moments.parse(text) if language == "zh" else english_moments.parse(text)
