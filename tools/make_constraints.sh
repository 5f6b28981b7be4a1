#!/bin/sh
# Pin what the course stands on, for every Python and system at once: constraints.txt gets everything that `make test`,
# `make test-stacks` and `make site` install, binder/requirements.txt what the course itself needs. Pins that still fit are kept; options of
# `uv pip compile` renew them, all (--upgrade) or one (--upgrade-package torch==2.13.0).
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sh tools/find_python.sh)
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet uv

compile() {  # FILE OPTIONS…: less what a CUDA build of torch pins itself
    file=$1
    shift
    "$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
        --output-file "$scratch/$file" "$@" pyproject.toml > /dev/null
    grep -vE '^(nvidia|cuda|triton)' "$scratch/$file"
}

cp constraints.txt "$scratch/all.txt"
{
    echo "# The tested set: both README commands and Binder install exactly these. Made by \`make constraints\`."
    compile all.txt --extra test --extra mnist --extra cifar --extra stacks --extra site "$@"
} > "$scratch/constraints.txt"
{
    echo "# What Binder installs: the pins of constraints.txt without the tests' tools. Made by \`make constraints\`."
    echo "# PyTorch's own index has the CPU build; its local version (2.13.0+cpu) counts as newer than PyPI's."
    echo "--extra-index-url https://download.pytorch.org/whl/cpu"
    compile course.txt --constraint "$scratch/constraints.txt"
} > "$scratch/requirements.txt"
mv "$scratch/constraints.txt" constraints.txt
mv "$scratch/requirements.txt" binder/requirements.txt
