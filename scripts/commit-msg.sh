#!/usr/bin/env bash
# Git's commit-msg hook: a subject of at most 72 characters, an empty line, and a body that says why. `make hooks` installs it.
#
#   commit-msg.sh FILE
set -euo pipefail
readonly LONGEST=72
# What git adds for the editor does not count.
message=$(sed -e '/^# -* >8 -*$/,$d' -e '/^#/d' "$1")
subject=$(head -n 1 <<<"$message")

refuse() {
    echo "commit message: $1" >&2
    echo "CONTRIBUTING.md says what a message looks like. Your text is kept in .git/COMMIT_EDITMSG." >&2
    exit 1
}

# What git writes by itself is not judged.
case $subject in "Merge "* | "Revert "* | "fixup! "* | "squash! "*) exit 0 ;; esac
[[ -n $subject ]] || refuse "it has no subject"
((${#subject} <= LONGEST)) || refuse "the subject has ${#subject} characters, $LONGEST are the most"
[[ $subject != *. ]] || refuse "the subject ends with a full stop"
[[ -z $(sed -n 2p <<<"$message") ]] || refuse "the second line is not empty"
sed 1,2d <<<"$message" | grep -q '[^[:space:]]' || refuse "it has no body: say why, in a sentence or two"
