"""A grammar as a tree, its JSGF text, and sentences drawn from it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Words in order; none of them: nothing is said."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What another rule says."""

    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """All of them, in order."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    items: tuple[Node, ...]


Node = Words | Rule | Series | Choice


def pruned(node: Node, unspoken: frozenset[str]) -> Node | None:
    """The tree without branches in which an unspoken word occurs; None if nothing is left."""
    if isinstance(node, Words):
        return None if unspoken & set(node.words) else node
    if isinstance(node, Rule):
        return node
    items = [pruned(item, unspoken) for item in node.items]
    kept = tuple(item for item in items if item is not None)
    if isinstance(node, Series):
        return Series(kept) if len(kept) == len(items) else None
    return (
        Choice(kept) if any(item != Words(()) for item in kept) or len(kept) == len(items) else _nothing(kept)
    )


def _nothing(kept: tuple[Node, ...]) -> Node | None:
    """What is left of an optional whose every word is unspoken: silence; of any other choice: no branch."""
    return Words(()) if kept else None


def words_in(node: Node) -> Iterator[str]:
    """Every word that stands in the tree itself."""
    if isinstance(node, Words):
        yield from node.words
    elif not isinstance(node, Rule):
        for item in node.items:
            yield from words_in(item)


def reachable(node: Node, rules: Mapping[str, Node]) -> frozenset[str]:
    """Every word that a sentence of the tree may have."""
    if isinstance(node, Words):
        return frozenset(node.words)
    if isinstance(node, Rule):
        return reachable(rules[node.name], rules)
    return frozenset(word for item in node.items for word in reachable(item, rules))


def draw(node: Node, rules: Mapping[str, Node], rng: random.Random, wanted: str = "") -> list[str]:
    """The words of one sentence; with the word `wanted`, where the tree has it."""
    if isinstance(node, Words):
        return list(node.words)
    if isinstance(node, Rule):
        return draw(rules[node.name], rules, rng, wanted)
    if isinstance(node, Choice):
        ways = [item for item in node.items if wanted in reachable(item, rules)] if wanted else []
        return draw(rng.choice(ways or node.items), rules, rng, wanted)
    return [word for item in node.items for word in draw(item, rules, rng, wanted)]


def expression(node: Node) -> str:
    """JSGF of a tree; an empty text where nothing is said."""
    if isinstance(node, Words):
        return " ".join(node.words)
    if isinstance(node, Rule):
        return f"<{node.name}>"
    if isinstance(node, Series):
        return " ".join(part for part in map(expression, node.items) if part)
    parts = list(dict.fromkeys(map(expression, node.items)))
    spoken = " | ".join(part for part in parts if part)
    if not spoken:
        return ""
    return f"[{spoken}]" if "" in parts else f"({spoken})"


def jsgf_text(name: str, rules: Mapping[str, Node]) -> str:
    """A whole JSGF grammar; its last rule is public."""
    *private, public = rules
    lines = [f"<{rule}> = {expression(rules[rule])};" for rule in private]
    lines.append(f"public <{public}> = {expression(rules[public])};")
    return f"#JSGF V1.0;\n\ngrammar {name};\n\n" + "\n".join(lines) + "\n"
