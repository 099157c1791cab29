# The flags that picday is compiled with, to be sourced. The tests are compiled
# with them too: so they run what ships, and nothing is compiled twice.
#
# Position-independent, so that an attacker has to guess where code is; the C
# code (SQLite and libjpeg-turbo's caller) with fortified calls and stack
# canaries; no path of the machine in it.
CGO_CFLAGS='-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2'
GOFLAGS="${GOFLAGS:-} -trimpath -buildmode=pie"
export CGO_CFLAGS GOFLAGS
