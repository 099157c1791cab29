#!/bin/sh
# Installs the Debian packages named on the command line, those that are
# missing. Quiet when there is nothing to do.
set -eu

missing=
for package in "$@"; do
    # A virtual or transitional package counts as what provides it.
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "picday is built and tested on Debian and Ubuntu. Here, install what these packages hold, then try again:$missing" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "As root, please: apt-get install$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words on purpose
$sudo apt-get -qq install -y $missing >/dev/null 2>&1 ||
    { $sudo apt-get -qq update >/dev/null; $sudo apt-get -qq install -y $missing >/dev/null; }
