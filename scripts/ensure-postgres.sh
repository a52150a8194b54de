#!/usr/bin/env bash
# Makes sure that PostgreSQL (initdb, postgres, psql) is on this machine, for tests and local runs: by apt as root. Neither a cluster nor a server of
# Debian's own is made. Exit code 1, and words on what to do, if it cannot be had.
set -uo pipefail

postgres_present() {
    local folder
    for folder in /usr/lib/postgresql/*/bin; do [[ -x $folder/initdb && -x $folder/postgres && -x $folder/psql ]] && return; done
    command -v initdb >/dev/null && command -v postgres >/dev/null && command -v psql >/dev/null
}

advise() {
    cat >&2 <<'TEXT'
Topics need PostgreSQL 14 or later on this machine, or one elsewhere in TOPICS_DATABASE. To install it, as root:
    apt-get install --no-install-recommends postgresql && systemctl disable --now postgresql
or see https://www.postgresql.org/download/
TEXT
    exit 1
}

postgres_present && exit 0
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then advise; fi
log=$(mktemp)
readonly NO_CLUSTER=/etc/postgresql-common/createcluster.d/estat.conf
trap 'rm -f "$log" "$NO_CLUSTER"' EXIT
echo "Installing PostgreSQL, for topics…"
export DEBIAN_FRONTEND=noninteractive
# Debian's package would make a cluster and start it: tests and local runs have their own. The file is for this installation alone.
mkdir -p "${NO_CLUSTER%/*}"
echo 'create_main_cluster = false' >"$NO_CLUSTER"
# RUNLEVEL: invoke-rc.d starts nothing in runlevel 1, and with systemd what it has started is stopped below.
if ! { timeout 300 apt-get update && RUNLEVEL=1 timeout 600 apt-get install -y --no-install-recommends postgresql; } >"$log" 2>&1 \
    || ! postgres_present; then
    tail -n 15 "$log" >&2
    advise
fi
[[ -d /run/systemd/system ]] && systemctl disable --now postgresql >/dev/null 2>&1
exit 0
