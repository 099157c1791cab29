#!/bin/sh
# Runs every fuzz target of the module for the given time, one after the
# other: go test takes one at a time. An input that breaks something is kept
# below the package's testdata/fuzz, and is a test from then on.
set -eu
for package in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
        echo "== $package $target"
        go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package"
    done
done
