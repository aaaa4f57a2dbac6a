#!/usr/bin/env bash
# make-chroot.sh FOLDER: a Debian trixie with the Swift toolchain of its packages, made in FOLDER, which must not exist.
# Run by xtask/src/swift_chroot.rs where the system has no Swift of its own; the folder's name there is keyed by this
# file. Needs root and debootstrap. 2.6 GB, two to four minutes.
set -euo pipefail
folder=$1

# The mirror that this system's own packages come from.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/$' || true)
if [[ -z $mirror ]]; then
    echo 'apt knows no mirror of Debian (apt-get indextargets names none): add one to its sources, or install Swift' >&2
    exit 1
fi

mkdir -p "$folder"
debootstrap --variant=minbase --components=main trixie "$folder" "$mirror"
# Maintainers' scripts must start no service.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod +x "$folder/usr/sbin/policy-rc.d"
# The C library's and C++'s headers are needed, and not asked for by the package.
chroot "$folder" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    apt-get install --yes --no-install-recommends \
    swiftlang libc6-dev libstdc++-14-dev git ca-certificates
chroot "$folder" apt-get clean
