#!/usr/bin/env bash
# Makes sure that what the tests run beside the server is on this machine: Ceph, their S3, libfaketime, their clock that jumps, Prometheus, which reads the
# rules, and Chromium, in which the console is tested. Never fails: tests that miss something skip themselves and say so.
set -uo pipefail

readonly CEPH=(radosgw ceph-mon ceph-mgr ceph-osd ceph-common)

ceph_present() {
    local tool
    for tool in radosgw radosgw-admin ceph-mon ceph-osd ceph; do command -v "$tool" >/dev/null || return 1; done
}

faketime_present() { compgen -G '/usr/lib*/faketime/libfaketimeMT.so.1' >/dev/null || compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }

prometheus_present() { command -v promtool >/dev/null && command -v prometheus >/dev/null; }
# With Korean letters: what the console says in Korean is measured as it is drawn.
chromium_present() { [[ -x /usr/bin/chromium ]] && compgen -G '/usr/share/fonts/*/noto/NotoSansCJK*' >/dev/null; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive

# WHAT LOSS PRESENT PACKAGE…
ensure() {
    local what=$1 loss=$2 present=$3
    shift 3
    local advice="$loss To have them: apt-get install --no-install-recommends $*"
    "$present" && return
    if ((EUID != 0)); then
        echo "$what is not installed, and only root can install it. $advice"
    elif ! command -v apt-get >/dev/null; then
        echo "$what is not installed, and there is no apt-get to install it with. $advice"
    else
        echo "Installing $what…"
        if timeout 300 apt-get update >"$log" 2>&1 && timeout 900 apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 && "$present"; then
            echo "Installed."
        else
            tail -n 15 "$log"
            echo "Installing $what failed. $advice"
        fi
    fi
}

ensure "Ceph, the S3 of the tests (about 300 MB, half a minute)" "The tests that need a real S3 will be skipped." ceph_present "${CEPH[@]}"
ensure "libfaketime" "Rounds in which the clock jumps will be skipped." faketime_present faketime
if ! prometheus_present; then
    ensure "promtool and Prometheus" "Tests of the alert rules will be skipped." prometheus_present prometheus
    # Debian starts what it installs; the tests start their own.
    command -v systemctl >/dev/null && systemctl disable --now prometheus >/dev/null 2>&1
fi
ensure "Chromium and a Korean font (about 150 MB, half a minute)" "Tests of the console in a browser will be skipped, or be drawn without Korean letters." chromium_present chromium fonts-noto-cjk
exit 0
