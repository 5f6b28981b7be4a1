#!/bin/sh
# Play Binder's build without Docker: a clean copy of what is committed and a clean environment, requirements.txt less
# its index line, postBuild, and then JupyterLab through start. What is left behind: nothing.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sh tools/find_python.sh)
git archive HEAD | tar -x -C "$scratch"
"$python" -m venv "$scratch/venv"
PATH=$scratch/venv/bin:$PATH
cd "$scratch"

grep -v '^--' binder/requirements.txt > pins.txt
sh tools/install_torch.sh "$scratch/venv/bin/python"
echo "Installing binder/requirements.txt."
python -m pip install --quiet -r pins.txt
binder/postBuild
python -m pip check
binder/start sh -c 'echo "threads: $OMP_NUM_THREADS"'
binder/start jupyter lab --version
binder/start grda-edu doctor
test -f notebooks/00_start_here.ipynb
du -sh venv
echo "Binder's build works."
