#!/bin/sh
# Builds the two programs, hardened alike for "make" and the package:
# scripts/build.sh VERSION DIRECTORY/ [MORE FOR GO'S LINKER]
#
# Position-independent, so that an attacker has to guess where code is; all
# symbols bound before main and read-only from then on; the C code (SQLite and
# libjpeg-turbo's caller) with fortified calls and stack canaries; no path of
# the machine in it.
set -eu
CGO_ENABLED=1 CGO_CFLAGS='-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2' \
    exec ${GO:-go} build -trimpath -buildvcs=false -buildmode=pie -o "$2" \
    -ldflags "${3-} -linkmode=external -extldflags '-Wl,-z,relro,-z,now,--build-id=none' -X picday/internal/version.release=$1" \
    ./cmd/picday ./cmd/picdayd
