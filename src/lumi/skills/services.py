"""What people ask of an assistant that Lumi cannot do alone: understood, and answered with what to connect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from lumi.skills.skill import Handler, Reply, Request

_ANSWERS: Mapping[str, str] = {
    "AskWeather": "weather",
    "AskLights": "lights",
    "AskFan": "fan",
    "AskHeating": "heating",
    "AskTelevision": "television",
    "AskMusic": "music",
    "AskNews": "news",
    "AskCall": "call",
    "AskMessage": "message",
    "AskShopping": "order",
    "AskKnowledge": "knowledge",
    "AskMovement": "movement",
    "AskCurrency": "currency",
    "AskCurtains": "curtains",
    "AskDoor": "door",
    "AskVacuum": "vacuum",
    "AskCamera": "camera",
    "AskCalendar": "calendar",
    "AskTranslate": "translate",
    "AskNavigate": "navigate",
    "ChangeVolume": "volume",
    "ChangeLanguage": "language",
    "SpeakFaster": "speed",
}


class ServicesSkill:
    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {intent: partial(_say, key=f"services.{key}") for intent, key in _ANSWERS.items()}


async def _say(request: Request, *, key: str) -> Reply:
    return request.say(key, "embarrassed")
