"""Jokes and short stories."""

from __future__ import annotations

from collections.abc import Mapping

from lumi.skills.skill import Handler, Reply, Request


class StoriesSkill:
    """The texts are responses; which one comes is the wording's chance."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {"TellJoke": self._joke, "TellStory": self._story, "SingSong": self._song}

    async def _joke(self, request: Request) -> Reply:
        return self._fresh(request, "stories.joke", "funny")

    async def _story(self, request: Request) -> Reply:
        return self._fresh(request, "stories.story", "relaxed")

    async def _song(self, request: Request) -> Reply:
        return request.say("stories.song", "embarrassed")

    def _fresh(self, request: Request, key: str, emotion: str) -> Reply:
        """One that was not told in this dialogue, while there is any."""
        told = {message.content for message in request.before if message.role == "assistant"}
        texts = request.wording.all(key)
        fresh = [text for text in texts if text not in told] or texts
        return Reply(request.wording.rng.choice(fresh), emotion)
