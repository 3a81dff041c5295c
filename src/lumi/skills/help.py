"""What can be asked, and what to say to words that were not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lumi.skills.catalogue import Topic
from lumi.skills.durations import and_join
from lumi.skills.skill import Handler, Reply, Request

_QUOTES = {"en": "“{}”", "zh": "“{}”"}
_UNKNOWN_EXAMPLES = ("clock", "sums", "timers")


class HelpSkill:
    def __init__(self, topics: Mapping[str, Sequence[Topic]]) -> None:
        self._topics = topics

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {"Help": self._help}

    async def _help(self, request: Request) -> Reply:
        topics = [topic for topic in self._topics[request.language] if topic.answered]
        answered = [topic.answered for topic in topics]
        known = "、".join(answered) if request.language == "zh" else and_join(answered, "en")
        return request.say(
            "help.help", "confident", topics=known, examples=self._examples(request, ("timers", "units"))
        )

    def not_understood(self, request: Request) -> Reply:
        """Honest, with examples: never a guess."""
        return request.say(
            "help.not_understood", "confused", examples=self._examples(request, _UNKNOWN_EXAMPLES)
        )

    def _examples(self, request: Request, names: tuple[str, ...]) -> str:
        first = [topic.examples[0] for topic in self._topics[request.language] if topic.name in names]
        quoted = [_QUOTES[request.language].format(example) for example in first]
        if request.language == "zh":
            return "、".join(quoted[:-1]) + f"或者{quoted[-1]}"
        return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
