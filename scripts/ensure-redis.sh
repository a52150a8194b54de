#!/usr/bin/env bash
# Makes sure that redis-server and redis-cli are on this machine, for tests and local runs: by apt as root. The server that Debian would start at the
# installation is kept from starting. Exit code 1, and words on what to do, if they cannot be had.
set -uo pipefail

redis_present() { command -v redis-server >/dev/null && command -v redis-cli >/dev/null; }

advise() {
    cat >&2 <<'TEXT'
A cluster over Redis needs redis-server and redis-cli on this machine, 6.2 or later. To install them, as root:
    apt-get install --no-install-recommends redis-server && systemctl disable --now redis-server
or see https://redis.io/docs/latest/operate/oss_and_stack/install/
TEXT
    exit 1
}

redis_present && exit 0
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then advise; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing redis-server, for the cluster's membership…"
export DEBIAN_FRONTEND=noninteractive
# RUNLEVEL: invoke-rc.d starts nothing in runlevel 1, and with systemd what it has started is stopped below.
if ! { timeout 300 apt-get update && RUNLEVEL=1 timeout 600 apt-get install -y --no-install-recommends redis-server; } >"$log" 2>&1 \
    || ! redis_present; then
    tail -n 15 "$log" >&2
    advise
fi
if [[ -d /run/systemd/system ]]; then
    systemctl disable --now redis-server >/dev/null 2>&1
else
    command -v update-rc.d >/dev/null && update-rc.d redis-server disable >/dev/null 2>&1
fi
exit 0
