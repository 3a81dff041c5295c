from __future__ import annotations

import runpy
from pathlib import Path

from lumi.protocol import reference
from lumi.protocol.fields import tag_of
from lumi.protocol.messages import CLIENT_TYPES, SERVER_TYPES, ErrorCode, Features
from lumi.protocol.state import diagram

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_page_is_what_the_types_say():
    assert PAGE.read_text() == reference.reference(), (
        "stale: python -m lumi.protocol.reference > docs/protocol.md"
    )


def test_the_page_goes_to_standard_output(capsys):
    runpy.run_path(str(reference.__file__), run_name="__main__")
    assert capsys.readouterr().out == reference.reference()


def test_the_page_names_every_type_code_and_feature():
    page = reference.reference()
    for one in (*CLIENT_TYPES, *SERVER_TYPES):
        assert f"#### `{tag_of(one)}`" in page
    for name in (*ErrorCode, *Features.__struct_fields__):
        assert f"`{name}`" in page
    assert diagram() in page


def test_every_message_says_what_it_is_for():
    for one in (*CLIENT_TYPES, *SERVER_TYPES):
        own = one.__doc__ or ""
        assert own.strip(), one
