#!/bin/sh
# Writes requirements/*.txt anew from pyproject.toml: the newest versions that go together, for every supported
# Python and platform, and no address of any registry. Needs `uv` (pip install uv).
set -eu
cd "$(dirname "$0")/.."

pin() {
    output=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
        --constraint requirements/constraints.in "$@" --output-file "$output"
}

pin requirements/server.txt --upgrade pyproject.toml requirements/build.in --extra server --extra tui --extra mcp
pin requirements/dev.txt --upgrade --constraint requirements/server.txt \
    pyproject.toml requirements/build.in --extra server --extra tui --extra mic --extra mcp \
    --extra sherpa --extra whisper --extra piper --extra wake --group dev
