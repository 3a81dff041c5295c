"""What a model wrote as a tool's arguments: read, and checked against the tool's own schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lumi.engines.base import ToolSpec
from lumi.errors import ToolError

MOST_FAULTS = 5
MOST_CHARS = 100_000
"""Nobody says so much; what is longer is a model that has lost its way."""


def read(spec: ToolSpec, text: str) -> dict[str, Any]:
    """The arguments.

    Raises:
        ToolError: they are no JSON object, or not what the schema asks for; the message says where.
    """
    if len(text) > MOST_CHARS:
        raise ToolError(spec.name, f"the arguments are longer than {MOST_CHARS} characters")
    try:
        given = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ToolError(spec.name, f"the arguments are not JSON ({error}); write one JSON object") from error
    if not isinstance(given, dict):
        raise ToolError(spec.name, "the arguments must be one JSON object")
    faults = _faults(spec, given)
    if faults:
        raise ToolError(spec.name, "the arguments do not fit: " + "; ".join(faults))
    return given


def canonical(arguments: Mapping[str, Any]) -> str:
    """The same text for the same arguments, however they were written."""
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _faults(spec: ToolSpec, given: Mapping[str, Any]) -> list[str]:
    """A schema that makes no sense itself (a server's mistake) lets everything through: the tool will say what is wrong."""
    from jsonschema.exceptions import SchemaError, best_match
    from jsonschema.validators import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if not spec.parameters:
        return []
    try:
        Draft202012Validator.check_schema(spec.parameters)
        # A registry of its own: a schema that points into the net must not make us go there
        validator = Draft202012Validator(spec.parameters, registry=Registry())
        errors = sorted(validator.iter_errors(given), key=lambda error: error.json_path)
    except (SchemaError, Unresolvable, RecursionError):
        return []
    return [
        f"{error.json_path.removeprefix('$').lstrip('.') or 'arguments'}: {(best_match([error]) or error).message[:300]}"
        for error in errors[:MOST_FAULTS]
    ]
