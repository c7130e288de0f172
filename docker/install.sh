#!/bin/sh
# Installs what requirements.lock names into $XNORFLOW_VENV, every hash checked, without keeping pip's cache.
#
#   docker/install.sh ["torch==... torchvision==..."]
#
# With an argument those wheels are installed in place of the locked torch and its CUDA libraries.
set -eu
torch=${1:-}
lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
awk -v torch="$torch" '
  /^[a-z0-9]/ { skip = torch != "" && /^(torch|torchvision|triton|(nvidia|cuda)-[a-z0-9-]+)==/ }
  !skip
' requirements.lock > "$lock"
python3 -m venv "$XNORFLOW_VENV"
pip() {
  "$XNORFLOW_VENV/bin/python" -m pip install --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: "$@"
}
pip --require-hashes -r "$lock"
if [ -n "$torch" ]; then
  pip $torch # several words: several wheels
fi
