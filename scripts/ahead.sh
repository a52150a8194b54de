#!/usr/bin/env bash
# Compiles what the programs consist of ahead of time, in artifacts/bin: the tests start hundreds of processes, and each would compile the same methods
# again. (Measured: the tests of the cluster take 443 s of the processor's time instead of 495; all of this takes 54 s, once.) The tests' own
# assemblies stay as they are. Each assembly is compiled once, however many folders hold it, and kept in artifacts/ahead under the hash of what it
# was made from. The next build puts the originals back. Where the compiler's
# package does not restore, this says so in one line, and all runs as it was built.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
readonly KEPT=artifacts/ahead
readonly PROGRAMS=(artifacts/bin/{Estat.Api,Estat.Silo,Estat.Cli}/release)
# They hold copies of the same assemblies, and run them too.
readonly OTHERS=(artifacts/bin/{Estat.*.Tests,Estat.Chaos,Estat.Cluster.Chaos,Estat.Example}/release)
# Large, and not worth it: Orleans' dashboard and its generator of code.
readonly UNUSED='/(Microsoft\.CodeAnalysis|Orleans\.Dashboard|Humanizer|System\.Composition)[^/]*$'

. scripts/dotnet.sh || exit 1

# Of the newest runtime of .NET 10: "Microsoft.NETCore.App 10.0.12 [/usr/share/dotnet/shared/Microsoft.NETCore.App]".
framework() { dotnet --list-runtimes | sed -nE "s:^$1 (10\.[^ ]+) \[(.*)\]$:\2/\1:p" | tail -n 1; }

# compile_one HASH ASSEMBLY — what cannot be compiled, such as what already is, stays as it is: an empty file says so.
compile_one() {
    if ! "$CROSSGEN" "$2" -o "$KEPT/$1.part" -O --parallelism 1 -r "$CORE/*.dll" -r "$WEB/*.dll" -r "$(dirname "$2")/*.dll" >/dev/null 2>&1; then
        : >"$KEPT/$1.part"
    fi
    mv "$KEPT/$1.part" "$KEPT/$1.dll"
}

if ! log=$(timeout 180 dotnet restore scripts/ahead.proj --nologo -v quiet 2>&1) \
    || ! CROSSGEN=$(dotnet msbuild scripts/ahead.proj -nologo -getProperty:CrossgenProgram 2>&1) || [[ ! -x $CROSSGEN ]]; then
    why=$(grep -m 1 -oE 'error [A-Z]+[0-9]+: .{1,120}' <<<"$log" || echo "its compiler is not in the package")
    echo "Not compiled ahead of time, so the tests take longer: $why"
    exit 0
fi
CORE=$(framework Microsoft.NETCore.App) WEB=$(framework Microsoft.AspNetCore.App)
export CROSSGEN CORE WEB KEPT
export -f compile_one

mkdir -p "$KEPT"
hashes() { for folder in "$@"; do [[ -d $folder ]] && sha256sum "$folder"/*.dll; done; }
# A build that had nothing to do leaves what was compiled the last time; "HASH artifacts/ahead/MADE_FROM.dll" says of what.
touch "$KEPT/results"
originals=$(hashes "${PROGRAMS[@]}" | grep -vE "$UNUSED" | grep -vFf <(cut -d ' ' -f 1 "$KEPT/results") | awk '!seen[$1]++')
missing=$(while read -r hash file; do [[ -z $hash || -f $KEPT/$hash.dll ]] || echo "$(stat -c %s "$file") $hash $file"; done <<<"$originals")
if [[ -n $missing ]]; then
    echo "Compiling $(wc -l <<<"$missing") assemblies ahead of time…"
    # The largest first, so that none of them runs alone in the end.
    sort -rn <<<"$missing" | cut -d ' ' -f 2- | xargs -P "$(nproc)" -L 1 bash -c 'compile_one "$1" "$2"' _
fi
hashes "${PROGRAMS[@]}" "${OTHERS[@]}" | while read -r hash file; do
    if [[ -s $KEPT/$hash.dll ]]; then
        cp "$KEPT/$hash.dll" "$file"
        touch "$KEPT/$hash.dll"
    fi
done
# What a week of builds did not use was made from an earlier source.
find "$KEPT" -name '*.dll' -mtime +7 -delete
sha256sum "$KEPT"/*.dll >"$KEPT/results"
exit 0
