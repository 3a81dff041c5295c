#!/bin/sh
# Recordings of human speech that some tests listen to, from Debian's archive. Never fails: what cannot be had is
# named, and the tests that want it say that they are skipped.
set -u
packages="pocketsphinx-testdata alsa-utils"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "SKIPPED: this is no Debian, so the recordings of$missing are not here; tests on them will be skipped."
elif [ "$(id -u)" -ne 0 ]; then
    echo "SKIPPED: only root can install$missing; tests on their recordings will be skipped. To have them:" \
        "sudo apt-get install$missing"
else
    echo "Installing$missing (recordings for the tests)"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words on purpose
    {
        apt-get install -qq -y --no-install-recommends $missing ||
            { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; }
    } </dev/null >/dev/null 2>&1 ||
        echo "SKIPPED: apt-get could not install$missing; tests on their recordings will be skipped."
fi
exit 0
