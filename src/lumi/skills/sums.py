"""Sums, said or written."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from lumi.skills import arithmetic
from lumi.skills.arithmetic import Number, Operation
from lumi.skills.figures import figure
from lumi.skills.skill import Handler, Reply, Request
from lumi.skills.sum_text import write


class SumsSkill:
    """Works out what it is asked exactly, and says where a result was rounded."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "Calculate": self._sum,
            "CalculateAdd": self._two("+"),
            "CalculateSubtract": self._two("-"),
            "CalculateMultiply": self._two("*"),
            "CalculateDivide": self._two("/"),
        }

    async def _sum(self, request: Request) -> Reply | None:
        tree = request.slot("sum", Operation)
        return None if tree is None else self._worked_out(request, tree)

    def _two(self, sign: str) -> Handler:
        async def handler(request: Request) -> Reply | None:
            first, second = request.slot("first", Fraction), request.slot("second", Fraction)
            if first is None or second is None:
                return None
            return self._worked_out(request, Operation(sign, (Number(first), Number(second))))

        return handler

    def _worked_out(self, request: Request, tree: Operation) -> Reply:
        written = write(tree, request.language)
        try:
            value = arithmetic.evaluate(tree)
        except ZeroDivisionError:
            return request.say("sums.by_zero", "winking")
        except OverflowError:
            return request.say("sums.too_large", "surprised")
        except ValueError:
            return request.say("sums.not_real", "thinking", sum=written)
        result = figure(value.number, request.language)
        if result.text == written:
            return request.say("sums.too_large", "surprised")
        exact = result.exact and value.exact
        # `the square root of 144 is 12`, but `17 × 23 = 391`
        signs = tree.sign in {"+", "-", "*", "/"} or request.language == "zh"
        form = ("equals" if exact else "about") if signs else ("is" if exact else "is_about")
        text = written[:1].upper() + written[1:]
        return request.say(f"sums.{form}", "confident", sum=text, result=result.text)
