#!/usr/bin/env bash
# in-chroot.sh ROOT FOLDERS DIRECTORY COMMAND...: runs COMMAND in DIRECTORY inside the system at ROOT. FOLDERS, parted by
# colons, are seen there under the names they have here, and so are the variables of the environment that concern Polyspan
# and its tests. Not LD_LIBRARY_PATH: cargo's names debug builds, which would be loaded before the library that a program
# was linked with. Mounts are in a namespace of their own and end with the command. Run by xtask/src/swift_chroot.rs.
set -euo pipefail
root=$1 folders=$2 directory=$3
shift 3
variables=()
for name in $(compgen -e); do
    case $name in
    OTEL_* | POLYSPAN_* | BENCH_* | CI) variables+=("$name=${!name}") ;;
    esac
done
exec unshare --mount --propagation private bash -c '
    root=$1 folders=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    IFS=:
    for folder in $folders; do
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
    done
    unset IFS
    exec chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin HOME=/tmp LANG=C.UTF-8 "$@"
' -- "$root" "$folders" "${variables[@]}" bash -c 'cd "$1" && shift && exec "$@"' -- "$directory" "$@"
