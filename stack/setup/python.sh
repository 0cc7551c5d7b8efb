#!/bin/sh
# Prints the Python that makes the virtual environment: $PYTHON if that is set, else the first one that fits; if there is
# none, one sentence says what is missing.
without_ensurepip=
for name in ${PYTHON:-python3.12 python3.11 python3}; do
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null || continue
    if "$name" -c 'import ensurepip' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
    without_ensurepip="$without_ensurepip $name"
done
if [ -n "$without_ensurepip" ]; then
    echo "Python's ensurepip is missing in$without_ensurepip: install the package python3-venv (or python3.11-venv, python3.12-venv)." >&2
elif [ -n "$PYTHON" ]; then
    echo "PYTHON is set to $PYTHON, which is not a working Python 3.11 or 3.12: name one, or unset it." >&2
else
    echo "Python 3.11 or 3.12 is missing: install python3.12 or python3.11 (looked for python3.12, python3.11, python3)." >&2
fi
exit 1
