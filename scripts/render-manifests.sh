#!/usr/bin/env bash
# Renders deploy/kubernetes/ from the chart, and copies the alert rules into it. Needs helm on PATH, or as HELM. With --check: only says what differs.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=${HELM:-helm}
readonly CHART=deploy/helm/estat
check=${1:-}
different=0

# FILE CONTENT
put() {
    if [[ $check == --check ]]; then
        printf '%s\n' "$2" | diff -u "$1" - || different=1
    else
        printf '%s\n' "$2" >"$1"
    fi
}

put "$CHART/files/alerts.yml" "$(cat deploy/prometheus/alerts.yml)"
for values in "$CHART"/ci/*.yaml; do
    mode=$(basename "$values" .yaml)
    "$HELM" lint --quiet "$CHART" -f "$values"
    put "deploy/kubernetes/$mode.yaml" "# Rendered from $CHART by scripts/render-manifests.sh, for those who do without Helm: make a copy and put your names into it.
$("$HELM" template estat "$CHART" -n estat -f "$values")"
done
exit "$different"
