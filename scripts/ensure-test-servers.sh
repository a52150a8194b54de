#!/usr/bin/env bash
# Makes sure that Ceph, the S3 of the tests, is on this machine. Never fails: tests that miss it skip themselves and say so.
set -uo pipefail

readonly PACKAGES=(radosgw ceph-mon ceph-mgr ceph-osd ceph-common)

present() {
    local tool
    for tool in radosgw radosgw-admin ceph-mon ceph-osd ceph; do command -v "$tool" >/dev/null || return 1; done
}

present && exit 0
advice="The tests that need a real S3 will be skipped. To have them: apt-get install --no-install-recommends ${PACKAGES[*]}"
if ((EUID != 0)); then
    echo "Ceph (radosgw and its parts) is not installed, and only root can install it. $advice"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "Ceph (radosgw and its parts) is not installed, and there is no apt-get to install it with. $advice"
    exit 0
fi
echo "Installing Ceph, the S3 of the tests (about 300 MB, half a minute)…"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if timeout 300 apt-get update >"$log" 2>&1 && timeout 900 apt-get install -y --no-install-recommends "${PACKAGES[@]}" >>"$log" 2>&1 && present; then
    echo "Installed."
else
    tail -n 15 "$log"
    echo "Installing Ceph failed. $advice"
fi
exit 0
