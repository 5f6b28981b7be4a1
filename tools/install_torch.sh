#!/bin/sh
# Install the pinned PyTorch into the environment of the given python: `sh tools/install_torch.sh PYTHON [VERSION]`.
#
# On Linux PyPI's torch is the CUDA build, about 3 GB. Without a working NVIDIA GPU the CPU wheel of PyTorch's own
# index is enough (200 MB); where that index cannot be reached (asked once, without retries) the plain pin is used.
# On macOS and Windows PyPI's torch is the CPU (or MPS) build already.
set -eu
python=$1
version=${2:-$(sed -n 's/^torch==//p' constraints.txt)}
cpu_index=https://download.pytorch.org/whl/cpu

if "$python" -c "import importlib.metadata as m; raise SystemExit(m.version('torch').split('+')[0] != '$version')" 2>/dev/null; then
    exit 0
fi
if [ "$(uname -s)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then
    echo "No NVIDIA GPU found: installing the CPU build of torch $version."
    if "$python" -m pip install --quiet --retries 0 --timeout 15 --no-deps --index-url "$cpu_index" "torch==$version"; then
        exit 0
    fi
    echo "PyTorch's CPU index did not answer: installing torch $version from the usual index."
fi
exec "$python" -m pip install --quiet "torch==$version"
