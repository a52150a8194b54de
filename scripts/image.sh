#!/usr/bin/env bash
# Builds the two images, and brings them to a registry.
#
#   image.sh build     estat:TAG and estat-cluster:TAG
#   image.sh push      the same, to REGISTRY
#
# By environment: REGISTRY, such as 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com (Amazon ECR: the AWS CLI logs in, and both repositories must be
# there); TAG, by default what git calls this commit; READY_TO_RUN=false where the ahead-of-time compiler cannot be restored; DYNAMODB=false where the
# packages of the DynamoDB provider cannot.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly TAG=${TAG:-$(git describe --tags --always --dirty 2>/dev/null || echo latest)}
readonly IMAGES=(estat estat-cluster)

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

command -v docker >/dev/null || die "docker is not on PATH. To have it: apt-get install docker.io, or see https://docs.docker.com/engine/install"
docker info >/dev/null 2>&1 || die "No Docker engine answers. Start it (systemctl start docker), or name one by DOCKER_HOST; docker info says what is wrong."

build() {
    echo "Building estat:$TAG…"
    docker build -t "estat:$TAG" --build-arg "READY_TO_RUN=${READY_TO_RUN:-true}" .
    echo "Building estat-cluster:$TAG…"
    docker build -t "estat-cluster:$TAG" --target cluster --build-arg "READY_TO_RUN=${READY_TO_RUN:-true}" --build-arg "DYNAMODB=${DYNAMODB:-true}" .
}

push() {
    local image region
    [[ -n ${REGISTRY:-} ]] || die "Where to? make push REGISTRY=123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
    build
    if [[ $REGISTRY =~ \.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?(/|$) ]]; then
        region=${BASH_REMATCH[1]}
        command -v aws >/dev/null || die "aws is not on PATH, and ECR needs it to log in: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
        echo "Logging in to ${REGISTRY%%/*}…"
        aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "${REGISTRY%%/*}"
    fi
    for image in "${IMAGES[@]}"; do
        docker tag "$image:$TAG" "$REGISTRY/$image:$TAG"
        docker push "$REGISTRY/$image:$TAG" ||
            die "$REGISTRY/$image:$TAG was not taken. In ECR the repository must be made first: aws ecr create-repository --repository-name $image"
        echo "Pushed $REGISTRY/$image:$TAG"
    done
}

case ${1:-} in
    build) build ;;
    push) push ;;
    *) die "usage: $0 build|push" ;;
esac
