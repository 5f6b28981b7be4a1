#!/bin/sh
# The optimizer without the course: a fresh environment with torch, numpy and scipy, the package by --no-deps, and then
# training and geometry away from the checkout. What is left behind: nothing.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sh tools/find_python.sh)
"$python" -m venv "$scratch/venv"
bin=$scratch/venv/bin

sh tools/install_torch.sh "$bin/python"
echo "Installing numpy, scipy and, with --no-deps, the package."
"$bin/python" -m pip install --quiet -c constraints.txt torch numpy scipy
"$bin/python" -m pip install --quiet --no-deps .
cp tools/core_alone.py "$scratch"
cd "$scratch"
OMP_NUM_THREADS=1 "$bin/python" core_alone.py
