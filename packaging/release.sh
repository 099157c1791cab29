#!/bin/sh
# Makes the next release from a clean checkout: packaging/release.sh 1.1.0
#
# What CHANGELOG.md lists under "Unreleased" becomes that version's; the commit
# gets the tag, and the packages are built from it in dist/. Nothing is pushed.
set -eu
cd "$(dirname "$0")/.."
version=$1
fail() { echo "$*" >&2; exit 1; }
echo "$version" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || fail "A version is three numbers: make release VERSION=1.1.0"
[ -z "$(git status --porcelain)" ] || fail "Commit or put aside what has been changed: git status"
! git rev-parse -q --verify "v$version" >/dev/null || fail "There is a release $version already: git tag"
last=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -1)
[ -z "$last" ] || [ "$last" = "$version" ] || [ "$(printf '%s\n' "$last" "$version" | sort -V | tail -1)" = "$version" ] ||
    fail "The last release was $last: choose a higher number than that"
if [ "$last" != "$version" ]; then
    [ -n "$(sed -n '/^## Unreleased/,/^## [0-9]/p' CHANGELOG.md | grep '^- ')" ] ||
        fail "CHANGELOG.md has nothing under '## Unreleased': say what has changed"
    sed -i "s/^## Unreleased.*/## $version ($(date -u +%Y-%m-%d))/" CHANGELOG.md
    git commit -q -m "Release $version" CHANGELOG.md
fi
git tag -a "v$version" -m "picday $version"
echo "Tagged v$version. To take it back: git tag -d v$version"
packaging/build.sh 'deb rpm'
