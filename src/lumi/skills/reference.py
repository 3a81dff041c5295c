"""`docs/skills.md`: what can be asked, from the intents' files. `python -m lumi.skills.reference` writes it to the output."""

from __future__ import annotations

import sys

from lumi.skills.catalogue import Topic, load

_HEAD = """\
<!-- Made by `python -m lumi.skills.reference`; do not edit: change src/lumi/skills/intents instead. -->

# What Lumi understands without a model

Ask in English or in Chinese: the answer comes in the language you used. Spoken or typed, with or without punctuation;
numbers in words or in digits. What Lumi does not understand it says so, with examples; it does not guess.

| | In English | 中文 |
|---|---|---|
"""

_TAIL = """
Times and dates follow the device's time zone and locale. Lists, timers, reminders and your name are kept per device,
and outlive a restart. A timer rings as speech; if its device is away it rings when the device is back, and says how late
it is. At most 25 timers and reminders per device, from one second to one year; lists hold 200 items.

The topics of the last row are understood, and answered with what to connect: Lumi can do nothing about them alone.

Templates are [hassil](https://github.com/OHF-Voice/hassil) sentences in `src/lumi/skills/intents/<language>/`, one file
per topic, with the responses beside them. The embedded recogniser's grammar is made from the English ones.
"""


def markdown() -> str:
    """The whole page."""
    pairs = zip(load("en").topics, load("zh").topics, strict=True)
    rows = "".join(f"| {en.title} · {zh.title} | {_asked(en)} | {_asked(zh)} |\n" for en, zh in pairs)
    return _HEAD + rows + _TAIL


def _asked(topic: Topic) -> str:
    return "<br>".join(topic.examples)


if __name__ == "__main__":
    sys.stdout.write(markdown())
