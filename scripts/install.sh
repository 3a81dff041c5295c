#!/bin/sh
# Puts the pinned packages of requirements/$1.txt and this project into .venv, which is made if there is none
# (or if its Python is gone). Usage: install.sh server|dev
set -eu
cd "$(dirname "$0")/.."
pins=requirements/$1.txt

if ! .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    python=$(scripts/find-python.sh)
    echo "Making .venv with $("$python" -V)"
    "$python" -m venv --clear .venv
fi

echo "Installing $pins into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --prefer-binary -r "$pins"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
