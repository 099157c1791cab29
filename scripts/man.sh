#!/bin/sh
# Writes the manual pages of the programs in one directory to man/
# in another: scripts/man.sh PROGRAMS OUT
set -eu
programs=$1 out=$2
mkdir -p "$out/man"
"$programs/picday" manual picday.1 >"$out/man/picday.1"
"$programs/picday" manual picday.toml.5 >"$out/man/picday.toml.5"
"$programs/picdayd" --manual >"$out/man/picdayd.8"
gzip -9nf "$out"/man/*.[158]
