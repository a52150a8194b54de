#!/usr/bin/env bash
# Builds and runs the rounds of trouble, and then the oracles of requests and of topics; every argument goes to the rounds' program, see there or
# --help.
# SCENARIO=requests runs the oracle alone, USERS=100000 says how many users it has, STORE=dynamodb lets two servers share a local DynamoDB.
# SCENARIO=requests-backup backs up a store of REQUESTS=1000000 requests while more come, kills the server, restores and goes on.
# SCENARIO=topics runs the oracle of topics alone, at RATE=5000 messages/s. SCENARIO=topics-outage takes PostgreSQL away for OUTAGE=10m.
# Becomes the program, so that Ctrl-C reaches it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scenario='' help='' duration='' seed=''
for ((i = 1; i <= $#; i++)); do
    next=$((i + 1))
    case ${!i} in
        --scenario) scenario=${!next:-} ;;
        --duration) duration=${!next:-} ;;
        --seed) seed=${!next:-} ;;
        --help) help=1 ;;
    esac
done
scripts/ensure-test-servers.sh
if [[ ${STORE:-} == dynamodb ]]; then scripts/ensure-dynamodb.sh; fi
if [[ $scenario == topics* || (-z $scenario && -z $help) ]]; then scripts/ensure-postgres.sh; fi
echo "Building (a first build takes about a minute)…"
build_release tests/Estat.Chaos
build_release tests/Estat.Requests.Chaos
build_release tests/Estat.Topics.Chaos
oracle=(dotnet artifacts/bin/Estat.Requests.Chaos/release/Estat.Requests.Chaos.dll --users "${USERS:-20000}" --store "${STORE:-sqlite}")
topics=(dotnet artifacts/bin/Estat.Topics.Chaos/release/Estat.Topics.Chaos.dll --rate "${RATE:-5000}")
if [[ -n $seed ]]; then topics+=(--seed "$seed"); fi
if [[ $scenario == requests ]]; then
    exec "${oracle[@]}"
fi
if [[ $scenario == requests-backup ]]; then
    exec dotnet artifacts/bin/Estat.Requests.Chaos/release/Estat.Requests.Chaos.dll --backup "${REQUESTS:-1000000}"
fi
if [[ $scenario == topics ]]; then
    exec "${topics[@]}" --duration "${duration:-5m}"
fi
if [[ $scenario == topics-outage ]]; then
    exec "${topics[@]}" --outage "${OUTAGE:-10m}"
fi
if [[ -z $scenario && -z $help ]]; then
    dotnet artifacts/bin/Estat.Chaos/release/Estat.Chaos.dll "$@"
    "${oracle[@]}"
    exec "${topics[@]}" --duration "${duration:-5m}"
fi
exec dotnet artifacts/bin/Estat.Chaos/release/Estat.Chaos.dll "$@"
