#!/bin/sh
# Recordings of human speech that some tests listen to, and the browser that others open the page in, from Debian's
# archive. Never fails: what cannot be had is named, and the tests that want it say that they are skipped.
set -u
packages="pocketsphinx-testdata alsa-utils chromium"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "SKIPPED: this is no Debian, so this is not installed:$missing; tests that need it will be skipped."
elif [ "$(id -u)" -ne 0 ]; then
    echo "SKIPPED: only root can install$missing; tests that need it will be skipped. To have it:" \
        "sudo apt-get install$missing"
else
    echo "Installing$missing (recordings and a browser for the tests)"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words on purpose
    {
        apt-get install -qq -y --no-install-recommends $missing ||
            { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; }
    } </dev/null >/dev/null 2>&1 ||
        echo "SKIPPED: apt-get could not install$missing; tests that need it will be skipped."
fi
exit 0
