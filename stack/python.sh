#!/bin/sh
# Prints the first Python that can make the virtual environment; if there is none, one sentence says what is missing.
without_ensurepip=
for name in python3.12 python3.11 python3; do
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null || continue
    if "$name" -c 'import ensurepip' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
    without_ensurepip="$without_ensurepip $name"
done
if [ -n "$without_ensurepip" ]; then
    echo "Python's ensurepip is missing in$without_ensurepip: install the package python3-venv (or python3.11-venv, python3.12-venv)." >&2
else
    echo "Python 3.11 or 3.12 is missing: install python3.12 or python3.11 (looked for python3.12, python3.11, python3)." >&2
fi
exit 1
