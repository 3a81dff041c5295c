"""The paths of `/api/v1` that the operator's view reads, for its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
BASE = "/api/v1"

Operation = Callable[..., Json]
"""Name, what it does, schema of the answer (None: there is none), status."""

AFTER: Json = {
    "name": "after",
    "in": "query",
    "required": False,
    "schema": {"type": "number", "minimum": 0, "default": 0},
    "description": "Only what came after this: a turn's number, or a sample's time.",
}
READS = (
    ("live", "getLive", "What is going on now, and the turns that ended since", "Live"),
    ("load", "getLoad", "Processor, memory, sessions and latencies of the last two hours", "LoadSamples"),
    ("problems", "listProblems", "The last warnings and errors of the log", "ProblemList"),
    ("settings", "listSettings", "Every setting as it holds, secrets masked", "SettingList"),
    ("recordings", "listRecordings", "Recordings of devices that are recorded", "RecordingList"),
)
WITH_AFTER = {"live", "load"}


def console_paths(operation: Operation, id_parameter: Json, of: Callable[[str], Json]) -> Json:
    """Path items, made with the description's own pieces."""
    found: Json = {}
    for path, name, what, schema in READS:
        item: Json = {"get": operation(name, what, of(schema))}
        if path in WITH_AFTER:
            item["parameters"] = [AFTER]
        found[f"{BASE}/{path}"] = item
    lines = operation("getRecording", "The file of a recording: lines of JSON (docs/recordings.md)", None)
    lines["responses"]["200"]["content"] = {"application/x-ndjson": {"schema": {"type": "string"}}}
    found[f"{BASE}/recordings/{{id}}"] = {
        "parameters": [id_parameter],
        "get": lines,
        "delete": operation("deleteRecording", "Delete a recording", None, "204"),
    }
    return found
