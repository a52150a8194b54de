#!/usr/bin/env bash
# Makes sure that the DynamoDB of tests and local runs (deploy/local/dynamodb.js) can start, on dynalite. Exit code 1, and words on what to do,
# if it cannot.
exec "$(dirname "$0")/ensure-npm.sh" "the local DynamoDB" dynalite 4.0.0 artifacts/dynamodb
