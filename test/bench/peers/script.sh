#!/bin/sh
# The peer "the better scripts": what a firm runs over its upload folder today.
# Usage: find … -print0 | xargs -0 -n1 -P2 script.sh OUTDIR DATABASE
set -eu
out=$1 db=$2 file=$3
sha=$(sha256sum "$file" | cut -d' ' -f1)
taken=$(exiftool -s3 -DateTimeOriginal "$file")
vipsthumbnail "$file" --size '1600x1600>' -o "$out/$sha-large.jpg[Q=85,strip]"
vipsthumbnail "$file" --size '400x400>' -o "$out/$sha-thumb.jpg[Q=80,strip]"
cp "$file" "$out/$sha.jpg"
sqlite3 -cmd '.timeout 20000' "$db" "INSERT INTO photo VALUES ('$sha', '$taken', '$file')"
