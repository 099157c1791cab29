#!/bin/sh
# Runs all tests. Those that make real Unix accounts or start sshd need root;
# for anybody else they are skipped, and the end lists them.
set -eu
. packaging/flags.sh
# With the tests that boot whole systems, where that is possible.
[ "$(id -u)" != 0 ] || export PICDAY_PACKAGE="${PICDAY_PACKAGE:-try}"
# What takes longest begins first, and more packages run at once than there are
# cores, because those three wait more than they compute.
go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails --hide-summary output -- \
    -count=1 -timeout 40m -p $(($(nproc) + 2)) ./packaging ./test ./internal/account ./... || status=$?
[ "$(id -u)" = 0 ] || echo "The tests listed as skipped need root: sudo env PATH=\$PATH make test"
exit "${status:-0}"
