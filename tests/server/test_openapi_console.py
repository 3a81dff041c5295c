"""The operator's paths, as they stand in the description; that they are served so is seen in `test_api_console.py`."""

import msgspec
from openapi_spec_validator import validate

from lumi.server.openapi import document
from lumi.server.openapi_console import READS


def test_every_path_says_what_it_answers():
    told = msgspec.json.decode(msgspec.json.encode(document("1")))
    validate(told)
    for path, name, what, schema in READS:
        item = told["paths"][f"/api/v1/{path}"]["get"]
        assert (item["operationId"], item["summary"]) == (name, what)
        answer = item["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": f"#/components/schemas/{schema}"}
        assert schema in told["components"]["schemas"]
    recording = told["paths"]["/api/v1/recordings/{id}"]
    assert list(recording["get"]["responses"]["200"]["content"]) == ["application/x-ndjson"]
    assert "204" in recording["delete"]["responses"]
