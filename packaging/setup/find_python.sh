#!/bin/sh
# Prints a Python that Limner can be set up with: the one given, else the first found. 3.11 is what the tests run on.
set -eu

fits() {
    # Run it: version managers put commands on the path that only say that they are not there.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${1:-}" ]; then
    if fits "$1"; then
        echo "$1"
        exit 0
    fi
    echo "make setup: “$1” is no Python of 3.11 or newer; name another with PYTHON=..." >&2
    exit 1
fi

for python in python3.11 python3.12 python3.13 python3 python python3.14; do
    if fits "$python"; then
        echo "$python"
        exit 0
    fi
done
echo "make setup: Limner needs Python 3.11 or newer and none was found; install one, or name it with PYTHON=/path/to/python3.11" >&2
exit 1
