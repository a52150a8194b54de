#!/usr/bin/env bash
# Builds and runs all tests, TEST_JOBS assemblies at a time (2): most of what tests do is to wait. The last line on stdout is always
# "N passed, N failed, N skipped"; the exit code is 0 only if something passed and nothing failed.
#
#   test.sh [FILTER]     only the tests with FILTER in "Namespace.Class.Method"
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
readonly FILTER=${1:-}
# One assembly's tests are killed after this.
readonly LIMIT=${TEST_LIMIT:-20m}
readonly JOBS=${TEST_JOBS:-2}
# These take longest and begin first, so that none of them runs alone in the end; the others follow in any order.
readonly LONGEST=(Estat.Api.Tests Estat.Cluster.Tests Estat.Cli.Tests Estat.Requests.Tests Estat.Topics.Tests Estat.Console.Tests)

# Most of what tests run lives for a few seconds: to compile its methods a second time, and to measure them for that, costs more than it saves. A
# silo's first ten seconds take half of the processor's time without it. (The number is hexadecimal: 1000 ms without a new method come first.)
export DOTNET_TieredPGO=0 DOTNET_TC_CallCountingDelayMs=3E8

passed=0 failed=0 skipped=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

finish() {
    echo
    echo "$passed passed, $failed failed, $skipped skipped"
    exit "$1"
}

if ! . scripts/dotnet.sh; then
    failed=1
    finish 1
fi
scripts/ensure-test-servers.sh
scripts/ensure-redis.sh || echo "The tests of the cluster that need Redis will be skipped."
. scripts/dynamodb-provider.sh
scripts/ensure-dynamodb.sh || echo "The tests that need DynamoDB will be skipped."
scripts/ensure-sqs.sh || echo "The tests that need SQS will be skipped."
scripts/ensure-postgres.sh || echo "The tests of topics that need PostgreSQL will be skipped."
echo "Building Estat.sln (a first build takes about a minute)…"
if ! build_release Estat.sln; then
    echo "The build failed; no test ran."
    failed=1
    finish 1
fi
# A few tests are done before that would pay.
[[ -n $FILTER ]] || scripts/ahead.sh || echo "Nothing was compiled ahead of time, so the tests take longer."

say_cluster() {
    echo "cluster built"
    say_dynamodb
}
say_cluster

# The runner's own words become one line per test; what it says about a failure or a skip stays. Each line begins with the assembly's name, as other
# assemblies print at the same time.
show() {
    local red='' green='' yellow='' plain=''
    if [[ -t 1 ]]; then red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'; fi
    awk -v assembly="$1" -v red="$red" -v green="$green" -v yellow="$yellow" -v plain="$plain" '
        BEGIN {
            short = assembly
            gsub(/^Estat\.|\.Tests$/, "", short)
            short = sprintf("%-8s", short)
        }
        /^    [^ ].* \[STARTING\]$/ { next }
        /^    [^ ].* \[FAIL\]$/ { bad[name($0)] = 1; say(red "FAIL" plain "          " name($0)); next }
        /^    [^ ].* \[SKIP\]$/ { bad[name($0)] = 1; say(yellow "skip" plain "          " name($0)); next }
        match($0, /^    [^ ].* \[FINISHED\] Time: [0-9.eE-]+s$/) {
            if (!(name($0) in bad)) {
                time = $NF
                sub(/s$/, "", time)
                say(sprintf("%sok%s   %7.1f s  %s", green, plain, time, name($0)))
            }
            next
        }
        /^  (Discovering|Discovered|Starting|Finished): / || /^=== TEST EXECUTION SUMMARY ===$/ || /^   [^ ]+  Total: / || /^$/ { next }
        { say($0) }
        function say(line) {
            print short "  " line
            fflush()
        }
        function name(line) {
            sub(/^    /, "", line)
            sub(/ \[(STARTING|FAIL|SKIP)\]$/, "", line)
            sub(/ \[FINISHED\] Time: [0-9.eE-]+s$/, "", line)
            return line
        }'
}

# "Total: 6, Errors: 0, Failed: 1, Skipped: 2, Not Run: 0, …": the number after a word.
number() { sed -nE "s/.*[ ,]$1: ([0-9]+).*/\1/p" <<<"$2"; }

# Runs an assembly in the background; what it prints and its exit code are in the folder of logs.
start_assembly() {
    local name=$1 assembly=artifacts/bin/$1/release/$1.dll
    if [[ ! -f $assembly ]]; then
        echo "$name: $assembly was not built" | tee -a "$logs/crashed"
        failed=$((failed + 1))
        return
    fi
    {
        # In the process group of this script, so that Ctrl-C reaches the tests, which a shell's background would ignore; the servers that they start
        # die with them.
        env --default-signal=INT,QUIT timeout --foreground --kill-after=30s "$LIMIT" dotnet exec "$assembly" \
            -noColor -noLogo -noAutoReporters -reporter verbose ${FILTER:+-method "*$FILTER*"} 2>&1 </dev/null | tee "$logs/$name" | show "$name"
        echo "${PIPESTATUS[0]}" >"$logs/$name.code"
    } &
    started[$!]=$name
}

# Adds up what an assembly that has ended did.
count_assembly() {
    local name=$1 log=$logs/$1 code summary wrong
    code=$(cat "$log.code" 2>/dev/null)
    summary=$(grep -E '^   [^ ]+  Total: [0-9]+,' "$log" | tail -n 1)
    if [[ -z $summary ]]; then
        # A filter that fits nothing in this assembly is no crash.
        if [[ -n $FILTER && $code == 0 ]]; then return; fi
        if [[ $code == 124 || $code == 137 ]]; then
            echo "$name: not done after $LIMIT and killed" | tee -a "$logs/crashed"
        else
            echo "$name: ended with ${code:-no exit code} and no summary" | tee -a "$logs/crashed"
        fi
        # What had begun and not finished is the first suspect.
        awk '/^    [^ ].* \[STARTING\]$/ { sub(/ \[STARTING\]$/, ""); running[$0] }
            / \[FINISHED\] Time: / { sub(/ \[FINISHED\] Time: .*/, ""); delete running[$0] }
            END { for (test in running) print "  running:" substr(test, 4) }' "$log" | tee -a "$logs/crashed"
        failed=$((failed + 1))
        return
    fi
    # Errors are failures outside of any test, such as in a clean-up.
    wrong=$(($(number Failed "$summary") + $(number Errors "$summary")))
    if [[ $wrong == 0 && $code != 0 ]]; then
        echo "$name: no test failed, but it ended with $code" | tee -a "$logs/crashed"
        wrong=1
    fi
    failed=$((failed + wrong))
    skipped=$((skipped + $(number Skipped "$summary")))
    passed=$((passed + $(number Total "$summary") - $(number Failed "$summary") - $(number Skipped "$summary") - $(number 'Not Run' "$summary")))
    echo "${summary#   }"
}

# Waits until one of those that run has ended, and counts it.
finish_one() {
    local ended
    wait -n -p ended "${!started[@]}"
    count_assembly "${started[$ended]}"
    unset "started[$ended]"
}

# Ctrl-C has reached the tests as well; they end before this script does.
interrupted() {
    trap - INT
    echo "interrupted"
    wait
    failed=$((failed + 1))
    finish 130
}
trap interrupted INT

declare -A started=()
mapfile -t assemblies < <(
    grep -oE '[A-Za-z0-9_.]+\.Tests\.csproj' Estat.sln | sed 's/\.csproj$//' | sort -u \
        | awk -v longest="${LONGEST[*]}" '{ print (i = index(longest, $0)) ? i : 1000 + NR, $0 }' | sort -n | cut -d " " -f 2)
for name in "${assemblies[@]}"; do
    if ((${#started[@]} == JOBS)); then finish_one; fi
    start_assembly "$name"
done
while ((${#started[@]} > 0)); do finish_one; done

if compgen -G "$logs/*.Tests" >/dev/null; then
    if grep -qhE '^    [^ ].* \[SKIP\]$' "$logs"/*.Tests; then
        echo
        echo "Skipped:"
        # The name and the first line of the reason, which follows it.
        grep -hE -A 1 '^    [^ ].* \[SKIP\]$' "$logs"/*.Tests | grep -v '^--$' | sed -E 's/^    ([^ ].*) \[SKIP\]$/  \1/'
    fi
    if grep -qhE '^    [^ ].* \[FAIL\]$' "$logs"/*.Tests; then
        echo
        echo "Failed:"
        # The name, and the lines of the message and of the stack that follow it: what is kept of a run may be its end alone.
        awk '/^    [^ ].* \[FAIL\]$/ { sub(/^    /, "  "); sub(/ \[FAIL\]$/, ""); print; left = 25; next }
            left > 0 && /^      / { print substr($0, 1, 300); left--; next }
            { left = 0 }' "$logs"/*.Tests
    fi
fi
if [[ -s $logs/crashed ]]; then
    echo
    echo "Broken off:"
    sed 's/^/  /' "$logs/crashed"
fi
echo
say_cluster
if ((passed + failed + skipped == 0)); then
    echo
    echo "No test ran${FILTER:+: nothing fits FILTER=$FILTER}."
    finish 1
fi
finish $((failed > 0))
