"""JSGF V1.0, as far as leaving words out of a grammar needs it (W3C note of June 2000; no imports)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lumi.errors import ConfigError

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r'<[^<>\s]+>|/[^/]*/|\{[^}]*\}|"[^"]*"|[()\[\]|*+=]|[^\s()\[\]|*+=<>{}"/]+')
_CLOSING = {"(": ")", "[": "]"}
HEADER = "#JSGF V1.0;"


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    """With its angle brackets."""
    public: bool
    tokens: tuple[str, ...]


def parse(jsgf: str) -> tuple[str, tuple[Rule, ...]]:
    """The grammar's name and its rules. Raises `ConfigError` that names what is missing."""
    statements = [part.strip() for part in _COMMENT.sub(" ", jsgf).split(";") if part.strip()]
    name, rules = "grammar", []
    for statement in statements:
        if statement.startswith("#"):
            continue
        head, equals, body = statement.partition("=")
        if not equals:
            name = _grammar_name(statement)
            continue
        words = head.split()
        rules.append(Rule(words[-1], words[0] == "public", tuple(_TOKEN.findall(body))))
    _check(rules)
    return name, tuple(rules)


def words(rules: tuple[Rule, ...]) -> frozenset[str]:
    """All words that the rules can say."""
    return frozenset(token for rule in rules for token in rule.tokens if _is_word(token))


def without(jsgf: str, unknown: frozenset[str]) -> str:
    """The grammar without the alternatives that need an unknown word. Raises `ConfigError` if nothing is left."""
    name, rules = parse(jsgf)
    dead: frozenset[str] = frozenset()
    while True:
        pruned = {rule: _Pruner(rule.tokens, unknown | dead).run() for rule in rules}
        now_dead = frozenset(rule.name for rule, body in pruned.items() if body is None)
        if now_dead == dead:
            break
        dead = now_dead
    kept = {rule: body for rule, body in pruned.items() if body is not None}
    if not any(rule.public for rule in kept):
        raise ConfigError("grammar", f"nothing is left of it without the unknown words {', '.join(sorted(unknown))}")
    lines = [f"{'public ' if rule.public else ''}{rule.name} = {body};" for rule, body in kept.items()]
    return "\n".join([HEADER, "", f"grammar {name};", "", *lines, ""])


class _Pruner:
    """Reads an expansion and writes it again without what cannot be said."""

    def __init__(self, tokens: tuple[str, ...], unknown: frozenset[str]) -> None:
        self._tokens = tokens
        self._unknown = unknown
        self._at = 0

    def run(self) -> str | None:
        return self._alternatives("")

    def _alternatives(self, closing: str) -> str | None:
        kept: list[str] = []
        while True:
            sequence = self._sequence(closing)
            if sequence is not None:
                kept.append(sequence)
            token = self._next()
            if token == closing:
                return " | ".join(kept) if kept else None

    def _sequence(self, closing: str) -> str | None:
        kept: list[str] = []
        sayable = True
        while self._peek() not in {"|", closing}:
            item = self._item()
            if item is None:
                sayable = False
            else:
                kept.append(item)
        return " ".join(item for item in kept if item) if sayable else None

    def _item(self) -> str | None:
        sign = self._next()
        if sign == "(":
            item = self._group(sign, none=None)
        elif sign == "[":
            item = self._group(sign, none="")
        else:
            item = None if sign.strip('"') in self._unknown else sign
        while self._peek() in {"*", "+"}:
            repeat = self._next()
            item = item + repeat if item else ("" if repeat == "*" else item)
        return item

    def _group(self, opening: str, none: str | None) -> str | None:
        inside = self._alternatives(_CLOSING[opening])
        return none if inside is None else f"{opening}{inside}{_CLOSING[opening]}"

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _is_word(token: str) -> bool:
    return token[0] not in "<(/[{|*+=)]" and token not in {"NULL", "VOID"}


def _grammar_name(statement: str) -> str:
    keyword, _, name = statement.partition(" ")
    if keyword != "grammar" or not name.strip():
        raise ConfigError("grammar", f"'{statement[:40]}' is no JSGF statement; a rule is written: <name> = words;")
    return name.strip()


def _check(rules: list[Rule]) -> None:
    if not any(rule.public for rule in rules):
        raise ConfigError("grammar", "has no public rule; write one as: public <name> = words;")
    defined = {rule.name for rule in rules} | {"<NULL>", "<VOID>"}
    for rule in rules:
        for token in rule.tokens:
            if token.startswith("<") and token not in defined:
                raise ConfigError("grammar", f"rule {rule.name} uses {token}, which is not defined")
        for opening, closing in _CLOSING.items():
            if rule.tokens.count(opening) != rule.tokens.count(closing):
                raise ConfigError("grammar", f"rule {rule.name} has an unpaired '{opening}' or '{closing}'")
