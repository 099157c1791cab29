#!/bin/sh
# Makes packages: packaging/build.sh deb|rpm|'deb rpm' [DIRECTORY]
#
# The same commit gives the same bytes, wherever it is built with the same Go
# and C compilers: nothing of the machine, its clock or its paths goes in.
# COMPRESSION=zstd makes a .deb in a tenth of the time, for tests; it is larger.
set -eu
cd "$(dirname "$0")/.."
kinds=$1
out=${2:-dist}
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2 # newer ones ask for modules that are not to be had
go=${GO:-go}
. packaging/flags.sh # for nfpm, with which picday shares the standard library

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
VERSION=${VERSION:-$(packaging/version.sh)}
ARCH=$($go env GOARCH)
ROOT=packaging/build/package
export SOURCE_DATE_EPOCH VERSION ARCH ROOT
rm -rf $ROOT
for kind in $kinds; do rm -f "$out"/picday[_-]*".$kind"; done
mkdir -p "$out" $ROOT

GO=$go packaging/compile.sh "$VERSION" $ROOT/ "-s -w -buildid="
strip --remove-section=.comment $ROOT/picday $ROOT/picdayd
packaging/man.sh $ROOT packaging/build

{
    echo "picday ($VERSION) stable; urgency=medium"
    echo
    sed -n '/^## /,$p' CHANGELOG.md | sed '1d; /^$/d; /^## /,$d; s/^/  /' | fmt -t -w 76 | sed 's/^/  /'
    echo
    echo " -- picday maintainers <picday@packages.invalid>  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >$ROOT/changelog.gz

# What is linked in, and the terms under which it may be.
{
    $go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u |
        while read -r module version dir; do
            echo "== $module $version"
            cat "$dir"/LICENSE* "$dir"/COPYING* 2>/dev/null || true
        done
    echo "== libjpeg-turbo, as Debian distributes it"
    cat /usr/share/doc/libjpeg62-turbo-dev/copyright /usr/share/doc/libjpeg-turbo8-dev/copyright 2>/dev/null || true
} | gzip -9n >$ROOT/licenses.gz

add() { # file, directory
    [ ! -e "$1" ] || echo "  - {src: $1, dst: $2/$(basename "$1"), file_info: {mode: 0644}}"
}
{
    sed '/^overrides:/,$d' packaging/nfpm.yaml
    for page in packaging/build/man/*.[158].gz; do add "$page" "/usr/share/man/man$(echo "$page" | sed 's/.*\.\([158]\)\.gz/\1/')"; done
    for file in packaging/build/completion/*; do
        case $file in
        *.bash) [ ! -e "$file" ] || echo "  - {src: $file, dst: /usr/share/bash-completion/completions/$(basename "$file" .bash), file_info: {mode: 0644}}" ;;
        *.fish) add "$file" /usr/share/fish/vendor_completions.d ;;
        */_*) add "$file" /usr/share/zsh/vendor-completions ;;
        esac
    done
    sed -n '/^overrides:/,$p' packaging/nfpm.yaml | sed "s/^  compression: .*/  compression: ${COMPRESSION:-xz}/"
} >$ROOT/nfpm.yaml

for kind in $kinds; do
    cp packaging/picday.toml $ROOT/picday.toml
    case $kind in
    deb) file=picday_${VERSION}_$ARCH.deb ;;
    rpm)
        file=picday-$VERSION.$(uname -m).rpm
        # Fedora and its family call sshd's unit so.
        sed -i 's/^#reload = .*/reload = ["systemctl", "reload", "sshd"]/' $ROOT/picday.toml
        ;;
    esac
    $go run $nfpm package --config $ROOT/nfpm.yaml --packager "$kind" --target "$out/$file" >/dev/null
    echo "$out/$file"
done
