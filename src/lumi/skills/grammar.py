"""The recogniser's grammar, made from the intents: whatever is understood can be heard.

Each sentence template becomes a JSGF rule; its wildcards become the words that `grammar.yaml` gives them. The corpus for
an n-gram is drawn from the same tree.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hassil import Alternative, Expression, ListReference, RuleReference, Sequence, TextChunk, parse_sentence
from hassil import Group as HassilGroup

from lumi.engines.base import Language
from lumi.engines.grammar import Grammar
from lumi.errors import ConfigError
from lumi.skills.catalogue import Catalogue, load, read_yaml
from lumi.skills.jsgf import Choice, Node, Rule, Series, Words, draw, jsgf_text, pruned, reachable, words_in

MAX_SENTENCES = 4000
_SEED = 20250722
_WORD = re.compile(r"[a-z'.=?-]+")


def build(language: Language = "en") -> Grammar:
    """The grammar of all intents; the same each time. Takes some 0.3 s, so: once, in the recogniser's process.

    Raises:
        ConfigError: there is no embedded recogniser for the language.
    """
    if language != "en":
        raise ConfigError(
            "grammar", f"there is no grammar for {language!r}; only 'en' has an embedded recogniser"
        )
    spoken = read_yaml("grammar.yaml")
    rules = _Converter(load(language), spoken).rules()
    sentences = _corpus(rules)
    words = frozenset(word for rule in rules.values() for word in words_in(rule))
    return Grammar(
        jsgf_text("lumi", rules), sentences, words | {word for text in sentences for word in text.split()}
    )


class _Converter:
    """Templates → rules; rule names keep apart what the templates, the slots and the intents name alike."""

    def __init__(self, catalogue: Catalogue, spoken: Mapping[str, Any]) -> None:
        self._catalogue = catalogue
        self._spoken = spoken
        self._unspoken = frozenset(spoken["unspoken"])

    def rules(self) -> dict[str, Node]:
        """All rules by name; the last, `command`, is the public one."""
        rules: dict[str, Node] = {}
        for name, text in self._spoken["rules"].items():
            rules[name] = self._template(text, "")
        for name, text in self._spoken["slots"].items():
            rules[f"slot_{name}"] = self._template(text, "")
        for intent, slots in self._spoken["intents"].items():
            for name, text in slots.items():
                rules[f"{intent}_{name}"] = self._template(text, "")
        for name, sentence in self._catalogue.intents.expansion_rules.items():
            rules[f"rule_{name}"] = self._node(sentence.expression, "")
        intents = [name for name in self._catalogue.intents.intents if self._intent(name, rules)]
        body = Choice(tuple(Rule(name) for name in intents))
        before, after = (self._template(self._spoken[key], "") for key in ("before", "after"))
        rules["command"] = Series((Choice((before, Words(()))), body, Choice((after, Words(())))))
        return _only_used(rules)

    def _intent(self, name: str, rules: dict[str, Node]) -> bool:
        texts = self._spoken["sentences"].get(name)
        sentences = (
            [parse_sentence(text) for text in texts]
            if texts is not None
            else [
                sentence for data in self._catalogue.intents.intents[name].data for sentence in data.sentences
            ]
        )
        templates = [pruned(self._node(sentence.expression, name), self._unspoken) for sentence in sentences]
        kept = tuple(template for template in templates if template is not None)
        if kept:
            rules[name] = Choice(kept)
        return bool(kept)

    def _template(self, text: str, intent: str) -> Node:
        return self._node(parse_sentence(text).expression, intent)

    def _node(self, expression: Expression, intent: str) -> Node:
        if isinstance(expression, TextChunk):
            return Words(tuple(_WORD.findall(expression.text.lower())))
        if isinstance(expression, ListReference):
            own = self._spoken["intents"].get(intent, {})
            if expression.slot_name in own:
                return Rule(f"{intent}_{expression.slot_name}")
            return Rule(f"slot_{expression.list_name}")
        if isinstance(expression, RuleReference):
            own_rule = expression.rule_name in self._spoken["rules"]
            return Rule(expression.rule_name if own_rule else f"rule_{expression.rule_name}")
        return self._group(expression, intent)

    def _group(self, expression: Expression, intent: str) -> Node:
        if not isinstance(expression, HassilGroup):
            raise TypeError(f"a template has a part that no grammar can have: {expression!r}")
        items = tuple(self._node(item, intent) for item in expression.items)
        if isinstance(expression, Alternative):
            return Choice(items)
        if isinstance(expression, Sequence):
            return self._series(items)
        raise TypeError("permutations are not used in the templates: write the orders out")

    def _series(self, items: tuple[Node, ...]) -> Node:
        """In order; neighbouring words are joined, and spoken short or long (`what is`, `what's`)."""
        joined: list[Node] = []
        for item in items:
            last = joined[-1] if joined else None
            if isinstance(item, Words) and isinstance(last, Words):
                joined[-1] = Words(last.words + item.words)
            else:
                joined.append(item)
        return Series(tuple(self._short(item) if isinstance(item, Words) else item for item in joined))

    def _short(self, node: Words) -> Node:
        words = node.words
        for long, short in self._spoken["short"].items():
            parts = tuple(long.split())
            for at in range(len(words) - len(parts) + 1):
                if words[at : at + len(parts)] == parts:
                    either = Choice((Words(parts), Words((short,))))
                    rest = self._short(Words(words[at + len(parts) :]))
                    return Series((self._short(Words(words[:at])), either, rest))
        return node


def _only_used(rules: dict[str, Node]) -> dict[str, Node]:
    """Without the rules that nothing refers to, in the same order."""
    used: set[str] = set()
    open_names = ["command"]
    while open_names:
        name = open_names.pop()
        if name not in used:
            used.add(name)
            open_names.extend(_references(rules[name]))
    return {name: rule for name, rule in rules.items() if name in used}


def _references(node: Node) -> Iterator[str]:
    if isinstance(node, Rule):
        yield node.name
    elif not isinstance(node, Words):
        for item in node.items:
            yield from _references(item)


def _corpus(rules: Mapping[str, Node]) -> tuple[str, ...]:
    """Equally many sentences of every template, and every word at least once; the same each time."""
    rng = random.Random(_SEED)  # noqa: S311 -- a corpus, no secret
    found: dict[str, None] = {}
    templates = [template for name in _intents(rules) for template in _choices(rules[name])]
    missing = dict.fromkeys(sorted(reachable(rules["command"], rules)))
    for template in templates:
        reached = reachable(template, rules)
        for word in [word for word in missing if word in reached]:
            if word in missing:
                _add(draw(template, rules, rng, word), found, missing)
    each = max((MAX_SENTENCES - len(found)) // len(templates), 1)
    for template in templates:
        for _ in range(each):
            _add(draw(template, rules, rng), found, missing)
    return tuple(found)


def _add(words: list[str], found: dict[str, None], missing: dict[str, None]) -> None:
    if words:
        found.setdefault(" ".join(words))
    for word in words:
        missing.pop(word, None)


def _intents(rules: Mapping[str, Node]) -> list[str]:
    """The intents' own rules: `AskMusic`, but neither `AskMusic_label` nor `rule_my`."""
    return [name for name in rules if name[0].isupper() and "_" not in name]


def _choices(rule: Node) -> tuple[Node, ...]:
    return rule.items if isinstance(rule, Choice) else (rule,)
