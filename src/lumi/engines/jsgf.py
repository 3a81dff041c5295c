"""Reads JSGF V1.0 grammars (W3C note of June 2000) into trees; no imports, weights and tags are skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lumi.errors import ConfigError

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r'<[^<>\s]+>|/[^/]*/|\{[^}]*\}|"[^"]*"|[()\[\]|*+]|[^\s()\[\]|*+<>{}"/]+|\S')
_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """To a rule; the name with its angle brackets."""

    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """One after the other; none at all is silence."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them; of none at all nothing can be said."""

    options: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """Once or more often."""

    part: Node


Node = Word | Reference | Series | Choice | Repeat
_SPECIAL: Mapping[str, Node] = {"<NULL>": Series(), "<VOID>": Choice()}


@dataclass(frozen=True, slots=True)
class Rules:
    """A grammar: its rules by name, and the names of the public ones."""

    bodies: Mapping[str, Node]
    public: tuple[str, ...]


def parse(jsgf: str) -> Rules:
    """Read a grammar. Raises `ConfigError` that names the rule and what is wrong with it."""
    bodies: dict[str, Node] = {}
    public: list[str] = []
    for statement in (part.strip() for part in _COMMENT.sub(" ", jsgf).split(";")):
        head, equals, body = statement.partition("=")
        if not equals:
            _check_header(statement)
            continue
        *modifiers, name = head.split()
        bodies[name] = _Reader(name, body).read()
        public += [name] * ("public" in modifiers)
    if not public:
        raise ConfigError("grammar", "has no public rule; write one as: public <name> = words;")
    for rule, expansion in bodies.items():
        for node in walk(expansion):
            if isinstance(node, Reference) and node.name not in bodies:
                raise ConfigError("grammar", f"rule {rule} uses {node.name}, which is not defined")
    return Rules(bodies, tuple(public))


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, references not followed."""
    yield node
    below: tuple[Node, ...] = ()
    match node:
        case Series(parts=below) | Choice(options=below):
            pass
        case Repeat(part):
            below = (part,)
    for part in below:
        yield from walk(part)


def words(rules: Rules) -> frozenset[str]:
    """All words that the rules name."""
    return frozenset(
        node.text for body in rules.bodies.values() for node in walk(body) if isinstance(node, Word)
    )


class _Reader:
    """Recursive descent over one rule's expansion."""

    def __init__(self, rule: str, text: str) -> None:
        self._rule = rule
        self._tokens = [token for token in _TOKEN.findall(text) if token[0] not in "/{"]
        self._at = 0

    def read(self) -> Node:
        tree = self._choice()
        if self._at < len(self._tokens):
            raise self._mistake(f"has an unpaired '{self._peek()}'")
        return tree

    def _choice(self) -> Node:
        options = [self._series()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._series())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _series(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in {"", "|", ")", "]"}:
            parts.append(self._item())
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def _item(self) -> Node:
        node = self._single()
        while self._peek() in {"*", "+"}:
            node = Repeat(node) if self._peek() == "+" else Choice((Repeat(node), Series()))
            self._at += 1
        return node

    def _single(self) -> Node:
        sign = self._peek()
        self._at += 1
        if sign in _CLOSING:
            inside = self._choice()
            if self._peek() != _CLOSING[sign]:
                raise self._mistake(f"lacks a '{_CLOSING[sign]}'")
            self._at += 1
            return inside if sign == "(" else Choice((inside, Series()))
        if sign.startswith("<"):
            return _SPECIAL.get(sign, Reference(sign))
        if sign in {"*", "+", ">", '"', "}"}:
            raise self._mistake(f"has a '{sign}' where a word should be")
        return Word(sign.strip('"'))

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _mistake(self, problem: str) -> ConfigError:
        return ConfigError("grammar", f"rule {self._rule} {problem}")


def _check_header(statement: str) -> None:
    if statement and not statement.startswith("#JSGF") and not statement.startswith("grammar "):
        raise ConfigError(
            "grammar", f"'{statement[:40]}' is no JSGF statement; a rule is written: <name> = words;"
        )
