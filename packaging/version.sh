#!/bin/sh
# Prints the version of this checkout: packaging/version.sh
#
# It is the newest number in CHANGELOG.md, "1.0.0". A checkout with changes that
# are not released yet has the time and the name of its commit behind it,
# "1.0.0+20261128181542.5b82922c10", which package managers sort behind 1.0.0 and
# before 1.0.1. Changes are unreleased if the changelog says so, or if the tag
# of that number is another commit.
set -eu
cd "$(dirname "$0")/.."
released=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -1)
head=$(git rev-parse --short=10 HEAD 2>/dev/null) || { echo "$released"; exit 0; } # not from git: a released archive
tagged=$(git rev-parse -q --verify "v$released^{commit}" || git rev-parse HEAD)
if ! grep -q '^## Unreleased' CHANGELOG.md && [ "$tagged" = "$(git rev-parse HEAD)" ] && git diff --quiet HEAD; then
    echo "$released"
else
    echo "$released+$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d%H%M%S).$head"
fi
