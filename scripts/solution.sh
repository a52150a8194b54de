# shellcheck shell=bash
# Sourced: sets SOLUTION to Estat.sln if everything in it can be restored here, else to Estat.Standalone.slnf, which needs no Orleans. What became of the
# cluster is to be said with its own words: say_cluster, after the build.

projects_of() { grep -oE '[A-Za-z0-9_.\\/]+\.csproj' "$1" | tr -s '\\' '/' | sort -u; }

SOLUTION=Estat.Standalone.slnf
CLUSTER_LEFT_OUT=

say_cluster() {
    if [[ -n $CLUSTER_LEFT_OUT ]]; then printf '\n*** %s ***\n' "$CLUSTER_LEFT_OUT"; else echo "cluster built"; fi
}

if [[ $(projects_of Estat.sln) != "$(projects_of Estat.Standalone.slnf)" ]]; then
    echo "Restoring packages…"
    if restore_log=$(dotnet restore Estat.sln --nologo -v quiet 2>&1); then
        SOLUTION=Estat.sln
    else
        CLUSTER_LEFT_OUT="THE CLUSTER IS NOT BUILT AND NOT TESTED: its packages (Microsoft.Orleans) could not be restored. Only the standalone server is."
        printf '%s\n' "$restore_log" | grep -m 5 -E 'error|warn' >&2 || true
        printf '\n*** %s ***\n\n' "$CLUSTER_LEFT_OUT" >&2
    fi
fi
