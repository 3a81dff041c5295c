"""Conversion of units."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from lumi.skills.figures import figure
from lumi.skills.measures import Quantity, Unit
from lumi.skills.skill import Handler, Reply, Request


class UnitsSkill:
    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {"Convert": self._convert}

    async def _convert(self, request: Request) -> Reply | None:
        quantity, unit = request.slot("quantity", Quantity), request.slot("unit", Unit)
        if quantity is None or unit is None:
            return None
        shown = quantity.shown(request.language)
        result = quantity.converted(unit)
        if result is None:
            target = unit.names[request.language][0 if request.language == "zh" else 1]
            return request.say("units.different", "confused", quantity=shown, unit=target)
        if unit.dimension == "temperature" and result * unit.size + unit.zero < 0:
            return request.say("units.too_cold", "shocked", quantity=shown)
        return self._answer(request, shown, result, unit)

    def _answer(self, request: Request, shown: str, result: Fraction, unit: Unit) -> Reply:
        # Nobody wants to hear more of them
        decimals = 1 if unit.dimension == "temperature" else 2
        rounded = Fraction(round(result * 10**decimals), 10**decimals)
        close = rounded if rounded and abs(result) >= 1 else result
        exact = figure(close, request.language).exact and close == result
        converted = unit.shown(close, request.language)
        key = "units.is" if exact else "units.is_about"
        return request.say(key, "confident", quantity=shown, result=converted)
