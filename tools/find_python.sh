#!/bin/sh
# Print the first Python from 3.11 to 3.13 that can make a virtual environment; explain if there is none.
for python in "${PYTHON:-python3}" python3.12 python3.13 python3.11 python; do
    if "$python" -c 'import sys, ensurepip, venv; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "The course needs Python 3.11, 3.12 or 3.13 with its venv module, and none was found." >&2
echo "Debian or Ubuntu: apt install python3 python3-venv. Others: https://www.python.org/downloads/" >&2
echo "If it is installed somewhere unusual: make PYTHON=/path/to/python3 lab" >&2
exit 1
