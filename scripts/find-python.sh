#!/bin/sh
# Prints the path of the newest Python this project runs on (3.11 to 3.13, able to make virtual environments).
# `PYTHON=/path/to/python` overrules the search. Says what to install, and fails, if there is none.
set -u

suits() {
    "$1" -c '
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

makes_environments() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

without_ensurepip=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python /usr/bin/python3.13 /usr/bin/python3.12 \
    /usr/bin/python3.11 /usr/local/bin/python3.13 /usr/local/bin/python3.12 /usr/local/bin/python3.11}; do
    suits "$candidate" || continue
    if makes_environments "$candidate"; then
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
    without_ensurepip=$candidate
done

if [ -n "$without_ensurepip" ]; then
    echo "lumi: $without_ensurepip cannot make virtual environments: install its venv package" \
        "(on Debian and Ubuntu: apt-get install python3-venv)." >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "lumi: PYTHON=$PYTHON is not a Python from 3.11 to 3.13." >&2
else
    echo "lumi: no Python from 3.11 to 3.13 was found. Install one (on Debian 12 and Ubuntu 24.04: apt-get install" \
        "python3 python3-venv; anywhere: python.org), or name yours: make PYTHON=/path/to/python3.12 serve" >&2
fi
exit 1
