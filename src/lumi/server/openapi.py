"""The description of `/api/v1`, made from the types that the handlers read and write."""

from __future__ import annotations

from typing import Any

import msgspec

from lumi.server.audit import Refusal
from lumi.server.console_records import RECORDS
from lumi.server.household import DeviceChanges, DeviceRecord, DeviceToken, PairingRequest
from lumi.server.openapi_console import console_paths
from lumi.server.pushes import PushRecord, PushRequest

Json = dict[str, Any]
BASE = "/api/v1"

TYPES = (DeviceRecord, DeviceChanges, DeviceToken, PairingRequest, PushRecord, PushRequest, Refusal, *RECORDS)
WHERE = "#/components/schemas/{name}"
ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
FAILURES = {
    "400": "The body is not JSON, or is not what its headers say.",
    "401": "The admin token is missing or wrong.",
    "404": "There is no such device, code or message.",
    "409": "It makes sense, but not as things stand; the message says why.",
    "413": "The body is larger than any that makes sense here.",
    "422": "A field makes no sense; the message names it.",
    "500": "The store or a secret's file cannot be used.",
}


def document(version: str) -> Json:
    """An OpenAPI 3.1 document."""
    _, schemas = msgspec.json.schema_components(TYPES, ref_template=WHERE)
    schemas["PushRequest"]["not"] = {"required": ["at", "in_s"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lumi: the household's devices, and how the server fares", "version": version},
        "security": [{"admin": []}],
        "paths": _devices() | _pushes() | console_paths(_operation, ID, _of),
        "components": {
            "schemas": {**schemas, "Failure": ERROR},
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer"}},
        },
    }


def _devices() -> Json:
    device, one = _of("DeviceRecord"), f"{BASE}/devices/{{id}}"
    changes = {"requestBody": _body("DeviceChanges")}
    return {
        f"{BASE}/devices": {
            "get": _operation("listDevices", "All devices", _list("devices", "DeviceRecord"))
        },
        one: {
            "parameters": [ID],
            "get": _operation("getDevice", "One device", device),
            "patch": _operation("changeDevice", "Say something of a device", device) | changes,
            "delete": _operation("forgetDevice", "As if it had never been here", None, "204"),
        },
        f"{one}/revoke": _acting("revokeDevice", "Shut a device out, now and from now on", device),
        f"{one}/rotate": _acting("rotateDevice", "Make its tokens void", device),
        f"{one}/token": _acting("tokenForDevice", "A token for a device", _of("DeviceToken")),
        f"{BASE}/pairings": {
            "post": _operation("pair", "Let in the device that shows a code", device)
            | {"requestBody": _body("PairingRequest")}
        },
        f"{BASE}/refusals": {
            "get": _operation("listRefusals", "Who was refused last", _list("refusals", "Refusal"))
        },
    }


def _pushes() -> Json:
    saying = "Say something on a device, by its id or name: now, later, or when it is back"
    return {
        f"{BASE}/devices/{{id}}/say": {
            "parameters": [ID],
            "post": _operation("say", saying, _of("PushRecord")) | {"requestBody": _body("PushRequest")},
        },
        f"{BASE}/pushes": {
            "get": _operation("listPushes", "What is still to be said", _list("pushes", "PushRecord"))
        },
        f"{BASE}/pushes/{{id}}": {
            "parameters": [ID],
            "delete": _operation("cancelPush", "Take back what is still to be said", None, "204"),
        },
    }


def _of(name: str) -> Json:
    return {"$ref": WHERE.format(name=name)}


def _list(key: str, name: str) -> Json:
    return {"type": "object", "required": [key], "properties": {key: {"type": "array", "items": _of(name)}}}


def _body(name: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _of(name)}}}


def _acting(name: str, what: str, answer: Json) -> Json:
    return {"parameters": [ID], "post": _operation(name, what, answer)}


def _operation(name: str, what: str, answer: Json | None, status: str = "200") -> Json:
    content = {} if answer is None else {"content": {"application/json": {"schema": answer}}}
    failures = {
        code: {"description": text, "content": {"application/json": {"schema": _of("Failure")}}}
        for code, text in FAILURES.items()
    }
    return {
        "operationId": name,
        "summary": what,
        "responses": {status: {"description": what} | content} | failures,
    }
