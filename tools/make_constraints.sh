#!/bin/sh
# Resolve the dependencies anew in a scratch environment and pin what came out: constraints.txt gets everything that
# `make test` installs, binder/requirements.txt what the course itself needs. Usage: make constraints [TORCH=2.13.0]
set -eu
torch=${1:-$(sed -n 's/^torch==//p' constraints.txt)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sh tools/find_python.sh)
"$python" -m venv "$scratch/venv"
bin=$scratch/venv/bin

pins() {  # plain versions ("+cpu" cannot be resolved from PyPI), less what a CUDA build of torch pins itself
    "$bin/pip" freeze --exclude grda-edu | sed 's/+.*$//' | grep '==' | grep -vE '^(nvidia|cuda|triton)'
}

echo "torch==$torch" > "$scratch/torch.txt"
sh tools/install_torch.sh "$bin/python" "$torch"
"$bin/pip" install --quiet -c "$scratch/torch.txt" .
pins > "$scratch/course.txt"
"$bin/pip" install --quiet -c "$scratch/torch.txt" -c "$scratch/course.txt" ".[test,mnist]"
{
    echo "# The tested set: both README commands and Binder install exactly these. Made by \`make constraints\`."
    pins
} > constraints.txt
{
    echo "# What Binder installs: the pins of constraints.txt without the tests' tools. Made by \`make constraints\`."
    echo "# PyTorch's own index has the CPU build; its local version (2.13.0+cpu) counts as newer than PyPI's."
    echo "--extra-index-url https://download.pytorch.org/whl/cpu"
    cat "$scratch/course.txt"
} > binder/requirements.txt
