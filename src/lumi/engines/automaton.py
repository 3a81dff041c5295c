"""From grammar rules to the smallest automaton that accepts the same sentences.

PocketSphinx loads JSGF by itself, but writes every use of a rule out anew: the assistant's grammar takes 105 MB and a
second for each decoder that way. Put together from the smallest automaton of each rule and made deterministic again,
it is a fraction of that, and no two paths say the same sentence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lumi.engines.jsgf import Choice, Node, Reference, Repeat, Rules, Series, Word
from lumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

Arcs = dict[str, int]
UNSEEN = 0.5
"""What a way that the corpus never takes counts for."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """Deterministic; state 0 is the start. `arcs[state][word]` is the next state."""

    arcs: tuple[Arcs, ...]
    final: frozenset[int]

    @property
    def empty(self) -> bool:
        """It accepts no sentence at all."""
        return not self.final

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for arcs in self.arcs for word in arcs)

    def path(self, sentence: Iterable[str]) -> tuple[int, ...] | None:
        """The states a sentence leads through, the start among them; None if it is not accepted."""
        states = [0]
        for word in sentence:
            following = self.arcs[states[-1]].get(word)
            if following is None:
                return None
            states.append(following)
        return tuple(states) if states[-1] in self.final else None

    def accepts(self, sentence: Iterable[str]) -> bool:
        return self.path(sentence) is not None

    def weights(self, corpus: Iterable[str]) -> tuple[dict[str | None, float], ...]:
        """For each state, how likely each way out is (`None`: to end there), as a corpus shows and a bit for the rest."""
        counts: list[dict[str | None, float]] = [dict.fromkeys(arcs, UNSEEN) for arcs in self.arcs]
        for state in self.final:
            counts[state][None] = UNSEEN
        for sentence in corpus:
            words: list[str | None] = [*sentence.split()]
            for state, word in zip(self.path(filter(None, words)) or (), [*words, None], strict=False):
                counts[state][word] += 1
        return tuple({way: count / sum(ways.values()) for way, count in ways.items()} for ways in counts)


def build(rules: Rules, unknown: Container[str] = frozenset()) -> Automaton:
    """The automaton of all public rules; alternatives that need an unknown word are left out.

    Raises:
        ConfigError: a rule uses itself.
    """
    compiler = _Compiler(rules, unknown)
    return compiler.of(Choice(tuple(Reference(name) for name in rules.public)))


@dataclass(slots=True)
class _Sketch:
    """A nondeterministic automaton under construction. `None` labels an arc that says nothing."""

    arcs: list[list[tuple[str | None, int]]] = field(default_factory=list)

    def state(self) -> int:
        self.arcs.append([])
        return len(self.arcs) - 1

    def link(self, start: int, end: int, word: str | None = None) -> None:
        self.arcs[start].append((word, end))


class _Compiler:
    def __init__(self, rules: Rules, unknown: Container[str]) -> None:
        self._rules = rules
        self._unknown = unknown
        self._done: dict[str, Automaton] = {}
        self._underway: list[str] = []

    def of(self, node: Node) -> Automaton:
        sketch = _Sketch()
        start = sketch.state()
        end = self._draw(sketch, node, start)
        return minimal(*determined(sketch.arcs, start, end))

    def _rule(self, name: str) -> Automaton:
        if name in self._underway:
            raise ConfigError("grammar", f"rule {name} uses itself; only * and + may repeat")
        if name not in self._done:
            self._underway.append(name)
            self._done[name] = self.of(self._rules.bodies[name])
            self._underway.pop()
        return self._done[name]

    def _draw(self, sketch: _Sketch, node: Node, start: int) -> int:
        """Add a node's paths from `start`; returns where they end."""
        end = start
        match node:
            case Word(text):
                end = sketch.state()
                sketch.arcs[start] += [(text, end)] * (text not in self._unknown)
            case Reference(name):
                end = self._copy(sketch, self._rule(name), start)
            case Series(parts):
                for part in parts:
                    end = self._draw(sketch, part, end)
            case Choice(options):
                ends = [self._draw(sketch, option, start) for option in options]
                end = sketch.state()
                for last in ends:
                    sketch.link(last, end)
            case Repeat(part):
                end = self._loop(sketch, part, start)
        return end

    def _loop(self, sketch: _Sketch, part: Node, start: int) -> int:
        again = sketch.state()
        sketch.link(start, again)
        end = self._draw(sketch, part, again)
        sketch.link(end, again)
        return end

    def _copy(self, sketch: _Sketch, automaton: Automaton, start: int) -> int:
        states = [sketch.state() for _ in automaton.arcs]
        end = sketch.state()
        sketch.link(start, states[0])
        for state, arcs in enumerate(automaton.arcs):
            for word, following in arcs.items():
                sketch.link(states[state], states[following], word)
            if state in automaton.final:
                sketch.link(states[state], end)
        return end


def determined(arcs: list[list[tuple[str | None, int]]], start: int, end: int) -> tuple[list[Arcs], set[int]]:
    """The subset construction: states that the same words lead to become one."""
    first = _closure(arcs, {start})
    numbers = {first: 0}
    result: list[Arcs] = [{}]
    waiting = [first]
    while waiting:
        subset = waiting.pop()
        following: dict[str, set[int]] = defaultdict(set)
        for state in subset:
            for word, target in arcs[state]:
                if word is not None:
                    following[word].add(target)
        for word, targets in following.items():
            reached = _closure(arcs, targets)
            if reached not in numbers:
                numbers[reached] = len(result)
                result.append({})
                waiting.append(reached)
            result[numbers[subset]][word] = numbers[reached]
    return result, {number for subset, number in numbers.items() if end in subset}


def _closure(arcs: list[list[tuple[str | None, int]]], states: set[int]) -> frozenset[int]:
    reached, waiting = set(states), list(states)
    while waiting:
        for word, target in arcs[waiting.pop()]:
            if word is None and target not in reached:
                reached.add(target)
                waiting.append(target)
    return frozenset(reached)


def minimal(arcs: list[Arcs], final: set[int]) -> Automaton:
    """Moore's partition refinement: states from which the same sentences can be finished become one.

    States from which nothing can be finished are dropped first, with the arcs that lead there.
    """
    arcs = _without_dead_ends(arcs, final)
    classes = [int(state in final) for state in range(len(arcs))]
    count = 0
    while count != (count := len(set(classes))):
        numbers: dict[tuple[object, ...], int] = {}
        classes = [
            numbers.setdefault(
                (classes[state], *sorted((word, classes[to]) for word, to in arcs[state].items())),
                len(numbers),
            )
            for state in range(len(arcs))
        ]
    merged: dict[int, Arcs] = {}
    for state, kind in enumerate(classes):
        merged.setdefault(kind, {word: classes[to] for word, to in arcs[state].items()})
    # The start was numbered first, so its class is 0; states nobody reaches any more are gone with their class.
    reachable = _reachable(merged)
    order = {kind: number for number, kind in enumerate(sorted(reachable))}
    return Automaton(
        tuple({word: order[to] for word, to in merged[kind].items()} for kind in sorted(reachable)),
        frozenset(order[classes[state]] for state in final if classes[state] in reachable),
    )


def _without_dead_ends(arcs: list[Arcs], final: set[int]) -> list[Arcs]:
    sources: dict[int, list[int]] = defaultdict(list)
    for state, following in enumerate(arcs):
        for target in following.values():
            sources[target].append(state)
    alive, waiting = set(final), list(final)
    while waiting:
        for source in sources[waiting.pop()]:
            if source not in alive:
                alive.add(source)
                waiting.append(source)
    return [{word: to for word, to in following.items() if to in alive} for following in arcs]


def _reachable(arcs: dict[int, Arcs]) -> set[int]:
    reached, waiting = {0}, [0]
    while waiting:
        for target in arcs[waiting.pop()].values():
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
