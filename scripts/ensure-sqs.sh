#!/usr/bin/env bash
# Makes sure that the SQS of tests and local runs (deploy/local/sqs.js) can start, on fauxqs. Exit code 1, and words on what to do, if not.
exec "$(dirname "$0")/ensure-npm.sh" "the local SQS" fauxqs 1.9.2 artifacts/sqs
