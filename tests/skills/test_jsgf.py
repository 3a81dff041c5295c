from __future__ import annotations

import random

from lumi.skills.jsgf import (
    Choice,
    Node,
    Rule,
    Series,
    Words,
    draw,
    expression,
    jsgf_text,
    pruned,
    reachable,
    words_in,
)

NOTHING = Words(())
RULES: dict[str, Node] = {
    "drink": Choice((Words(("tea",)), Words(("hot", "milk")))),
    "command": Series((Words(("bring",)), Rule("drink"), Choice((Words(("please",)), NOTHING)))),
}


def test_writes_jsgf() -> None:
    assert jsgf_text("g", RULES) == (
        "#JSGF V1.0;\n\ngrammar g;\n\n<drink> = (tea | hot milk);\npublic <command> = bring <drink> [please];\n"
    )
    assert expression(Choice((NOTHING, NOTHING))) == ""


def test_draws_only_what_it_says_and_what_is_wanted() -> None:
    rng = random.Random(1)
    drawn = {" ".join(draw(RULES["command"], RULES, rng)) for _ in range(50)}
    assert drawn == {"bring tea", "bring hot milk", "bring tea please", "bring hot milk please"}
    assert all("milk" in draw(RULES["command"], RULES, rng, "milk") for _ in range(20))
    assert draw(RULES["command"], RULES, rng, "beer")[0] == "bring"


def test_knows_its_words() -> None:
    assert reachable(Rule("command"), RULES) == {"bring", "tea", "hot", "milk", "please"}
    assert list(words_in(RULES["command"])) == ["bring", "please"]


def test_leaves_unspoken_branches_out() -> None:
    unspoken = frozenset({"tv"})
    tv, radio = Words(("the", "tv")), Words(("radio",))
    assert pruned(Choice((tv, radio)), unspoken) == Choice((radio,))
    assert pruned(Series((tv, radio)), unspoken) is None
    assert pruned(Choice((tv,)), unspoken) is None
    assert pruned(Choice((tv, NOTHING)), unspoken) == NOTHING
    assert pruned(Choice((radio, NOTHING)), unspoken) == Choice((radio, NOTHING))
    assert pruned(Rule("drink"), unspoken) == Rule("drink")
