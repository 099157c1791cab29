#!/bin/sh
# What people hang on the end of an upload, without a check of what has arrived: a hash, two
# sizes and a row. Usage: on_close.sh OUTDIR FILE
set -eu
out=$1 file=$2
sha=$(sha256sum "$file" | cut -d' ' -f1)
vipsthumbnail "$file" --size '1600x1600>' -o "$out/$sha-large.jpg[Q=85,strip]"
vipsthumbnail "$file" --size '400x400>' -o "$out/$sha-thumb.jpg[Q=80,strip]"
sqlite3 -cmd '.timeout 20000' "$out/photos.db" "CREATE TABLE IF NOT EXISTS photo (sha, path); INSERT INTO photo VALUES ('$sha', '$file')"
: >"$out/done-${file##*/}"
