#!/bin/sh
# Writes the manual pages and the shells' completions of the programs in one
# directory to man/ and completion/ in another: packaging/man.sh PROGRAMS OUT
set -eu
programs=$1 out=$2
mkdir -p "$out/man" "$out/completion"
"$programs/picday" manual picday.1 >"$out/man/picday.1"
"$programs/picday" manual picday.toml.5 >"$out/man/picday.toml.5"
"$programs/picdayd" --manual >"$out/man/picdayd.8"
gzip -9nf "$out"/man/*.[158]
"$programs/picday" completion bash >"$out/completion/picday.bash"
"$programs/picday" completion zsh >"$out/completion/_picday"
"$programs/picday" completion fish >"$out/completion/picday.fish"
