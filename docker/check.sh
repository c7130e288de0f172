#!/bin/bash
# Builds the Dockerfile and runs `make demo` in the image, where no Docker engine is at hand: by Debian's buildah, on a
# base that debootstrap makes. Needs root and 32 GB of disk in $TMPDIR for a while; leaves nothing behind.
#
#   docker/check.sh            MIRROR=... where apt's own sources have no Debian 12; TMPDIR=... for another disk
#
# Chroot isolation shares the host's network and kernel: of Docker, the Dockerfile is what this tests.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "error: $1" >&2
  exit 2
}
missing=
for tool in buildah debootstrap; do command -v "$tool" > /dev/null || missing+=" $tool"; done
[ -z "$missing" ] || fail "not found:$missing; run: apt-get install -y$missing"
[ "$(id -u)" = 0 ] || fail "debootstrap and chroot isolation are for root; run: sudo make docker-check"
RELEASE=bookworm
# shellcheck disable=SC2016  # the format is apt's, not the shell's
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' "Release: $RELEASE" "Created-By: Packages" | head -n 1)}
[ -n "$mirror" ] || fail "apt's sources name no mirror of Debian 12 ($RELEASE); give MIRROR=..."

NEEDED_MB=32000
free=$(df --output=avail --block-size=1M "${TMPDIR:-/var/tmp}" | tail -n 1)
[ "$free" -ge $NEEDED_MB ] || fail "${TMPDIR:-/var/tmp} has $free MB free, $NEEDED_MB are needed; give TMPDIR=..."

work=$(mktemp -d "${TMPDIR:-/var/tmp}/xnorflow-docker-check.XXXXXX")
export TMPDIR=$work # where buildah lays what it copies
container=
image() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
clean_up() {
  [ -z "$container" ] || image rm "$container" > /dev/null || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step() { echo "== $1 (after $SECONDS s)"; }
inside() { image run --isolation chroot "$container" -- "$@"; }
megabytes() { du -sm --one-file-system "$1" | cut -f 1; }

step "base: Debian 12 from $mirror"
debootstrap --variant=minbase "$RELEASE" "$work/root" "$mirror" > "$work/debootstrap.log" || {
  tail -n 20 "$work/debootstrap.log" >&2
  fail "debootstrap failed"
}
rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
echo "$(megabytes "$work/root") MB"
container=$(image from scratch)
image add --quiet "$container" "$work/root" / > /dev/null
image commit --quiet --rm "$container" localhost/debian:bookworm-slim > /dev/null
container=
rm -rf "$work/root"

step "image: the Dockerfile"
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
image bud --isolation chroot --quiet --build-arg BASE=localhost/debian:bookworm-slim \
  --build-arg PIP_CERT=/run/authorities.crt --volume "$authorities:/run/authorities.crt:ro" \
  --tag localhost/xnorflow . > "$work/build.log" 2>&1 || {
  tail -n 40 "$work/build.log" >&2
  fail "the Dockerfile does not build"
}
container=$(image from localhost/xnorflow)
echo "$(megabytes "$(image mount "$container")") MB"

step "rules: who runs, what was left in the image"
inside sh docker/inspect.sh

step "vendor tools: a folder mounted at /opt/Xilinx is found"
mkdir -p "$work/Xilinx/Vivado/0.0/bin"
printf '#!/bin/sh\necho stand-in\n' > "$work/Xilinx/Vivado/0.0/bin/vivado"
chmod -R a+rX,a+x "$work/Xilinx"
image run --isolation chroot --volume "$work/Xilinx:/opt/Xilinx:ro" --env XILINX_VIVADO=/opt/Xilinx/Vivado/0.0 \
  "$container" -- sh -c 'xnorflow doctor | grep -F Vivado/0.0 && "$XILINX_VIVADO/bin/vivado" && ! touch /opt/Xilinx/x 2> /dev/null'

step "notebooks: JupyterLab answers on the loopback address"
inside python docker/ask_jupyter.py

step "make demo"
inside make demo
step "done"
