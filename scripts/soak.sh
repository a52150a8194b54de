#!/usr/bin/env bash
# Cheap attacks by a client without credentials, one after another, on a server in a control group of MEMORY=512 MB with 1,024 open files, while an honest client
# sends RATE=1000 events a second. Exit code 1 unless the server lives, the honest client is answered in time and with nothing worse than 503 with Retry-After,
# and the memory is back. By environment: DURATION=5m of all attacks, ONLY=http2-unread|http1-unread|idle|stalling-batches|repeated-agents, OPTIONS="NAME=VALUE …" for
# the server. Needs root, and the memory controller of cgroup v1 or v2.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
readonly MEMORY=${MEMORY:-512}

die() {
    echo "soak: $*" >&2
    exit 1
}
[[ $(id -u) == 0 ]] || die "needs root, for a control group of $MEMORY MB"
bytes=$((MEMORY * 1024 * 1024))
if [[ -w /sys/fs/cgroup/memory/cgroup.procs ]]; then
    group=$(mktemp -d /sys/fs/cgroup/memory/estat-soak.XXXXXX)
    limit=memory.limit_in_bytes
elif [[ -w /sys/fs/cgroup/cgroup.procs ]] && grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control
    group=$(mktemp -d /sys/fs/cgroup/estat-soak.XXXXXX)
    limit=memory.max
    echo 0 >"$group/memory.swap.max" 2>/dev/null || true
else
    die "needs the memory controller of cgroup v1 (/sys/fs/cgroup/memory) or v2 (/sys/fs/cgroup)"
fi
cleanup() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do rmdir "$group" 2>/dev/null && return || sleep 0.2; done
}
trap cleanup EXIT
echo "$bytes" >"$group/$limit"
build_release tests/Estat.Soak
# The attackers have more connections than the server may have.
ulimit -n "$(ulimit -Hn)"
# Not exec: the group is removed afterwards.
# shellcheck disable=SC2086 # several options, each a word
dotnet artifacts/bin/Estat.Soak/release/Estat.Soak.dll --duration "${DURATION:-5m}" --rate "${RATE:-1000}" --group "$group" --files 1024 ${ONLY:+--only "$ONLY"} ${OPTIONS:-}
