#!/usr/bin/env bash
# Makes sure that what the benchmark loads servers and compares with is on this machine: wrk, without which there is nothing to measure, and pigz.
set -euo pipefail

missing=()
for tool in wrk pigz; do command -v "$tool" >/dev/null || missing+=("$tool"); done
((${#missing[@]} == 0)) && exit
if ((EUID == 0)) && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]}…"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || true
fi
command -v pigz >/dev/null || echo "pigz is missing, so nothing is compared with it: apt-get install pigz"
command -v wrk >/dev/null || { echo "bench: wrk is missing: apt-get install wrk" >&2; exit 1; }
