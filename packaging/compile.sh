#!/bin/sh
# Builds the two programs, hardened alike for "make" and the package:
# packaging/compile.sh VERSION DIRECTORY/ [MORE FOR GO'S LINKER]
#
# To what flags.sh says comes that all symbols are bound before main and
# read-only from then on.
set -eu
. packaging/flags.sh
CGO_ENABLED=1 exec ${GO:-go} build -buildvcs=false -o "$2" \
    -ldflags "${3-} -linkmode=external -extldflags '-Wl,-z,relro,-z,now,--build-id=none' -X picday/internal/version.release=$1" \
    ./cmd/picday ./cmd/picdayd
