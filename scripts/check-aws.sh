#!/usr/bin/env bash
# Checks the templates of deploy/aws/: against the schemas of their resources by cfn-lint, their size, and the names of the API's deployments.
# Needs cfn-lint, on PATH or as CFN_LINT; if there is none, tries to install it into artifacts/cfn-lint by pip. Nothing here asks AWS.
# With --api-name: only says what the deployments of the API must be called.
# Exit code 1: something is wrong with a template. 3: cfn-lint is not to be had, and nothing else was wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly FOLDER=artifacts/cfn-lint VERSION=1.51.0
# More than this and CloudFormation takes a template only from a bucket.
readonly MOST_BYTES=51200
readonly SERVICE=${AWS_SERVICE_TEMPLATE:-deploy/aws/service.yaml}
readonly TEMPLATES=(deploy/aws/data.yaml "$SERVICE" deploy/aws/watch.yaml)
found=0

wrong() {
    echo "$*" >&2
    found=1
}

# API Gateway serves a copy of the API that a deployment made. CloudFormation makes a new copy only if the deployment has another name.
api_name() { sed -n '/^  # The API begins/,/^  # The API ends/p' "$SERVICE" | sha256sum | cut -c1-8; }

if [[ ${1:-} == --api-name ]]; then
    api_name
    exit
fi

name=$(api_name)
for deployment in "ApiDeployment$name" "ApiDeploymentCognito$name"; do
    if ! grep -q "^  $deployment:" "$SERVICE" || ! grep -q "!Ref $deployment[],]" "$SERVICE"; then
        wrong "$SERVICE: the API has changed. Call its deployment $deployment, where it stands and in the stage; else the change has no effect."
    fi
done

for template in "${TEMPLATES[@]}"; do
    bytes=$(wc -c <"$template")
    ((bytes <= MOST_BYTES)) || wrong "$template: $bytes bytes; above $MOST_BYTES 'aws cloudformation deploy' needs a bucket for it"
done

cfn_lint() {
    local tool
    for tool in "${CFN_LINT:-cfn-lint}" "$FOLDER/bin/cfn-lint"; do
        if "$tool" --version >/dev/null 2>&1; then
            echo "$tool"
            return
        fi
    done
    command -v python3 >/dev/null || return 1
    echo "Installing cfn-lint $VERSION into $FOLDER…" >&2
    python3 -m venv "$FOLDER" >/dev/null 2>&1 &&
        timeout 300 "$FOLDER/bin/pip" install --quiet --retries 1 --timeout 15 "cfn-lint==$VERSION" >/dev/null 2>&1 &&
        echo "$FOLDER/bin/cfn-lint"
}

if tool=$(cfn_lint); then
    # Warnings and hints count as well.
    "$tool" --include-checks I --regions us-east-1 eu-central-1 ap-northeast-2 -- "${TEMPLATES[@]}" || found=1
    ((found)) || echo "Checked by $("$tool" --version), for three regions: ${TEMPLATES[*]}; the API's deployments are named $name."
    exit "$found"
fi

echo "cfn-lint is not on PATH, and pip could not install it into $FOLDER. To have it: pip install cfn-lint==$VERSION, or name it by CFN_LINT." >&2
((found)) && exit 1
exit 3
