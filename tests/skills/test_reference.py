from __future__ import annotations

from lumi.skills.catalogue import load
from lumi.skills.reference import markdown


def test_every_example_stands_in_the_table() -> None:
    page = markdown()
    for language in ("en", "zh"):
        for topic in load("zh" if language == "zh" else "en").topics:
            assert all(example in page for example in topic.examples)
    assert page.count("\n| ") == 1 + len(load("en").topics)
