#!/bin/bash
# picday's main job in one minute, for real: a private sshd, one account of
# each layout, photos uploaded by OpenSSH's own sftp, and what became of them.
# shellcheck source=test/demo/world.sh
. "$(dirname "$0")/world.sh"

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '\033[2m$ %s\033[0m\n' "$*"; }
if [ -n "${NO_COLOR-}" ] || [ ! -t 1 ]; then
    title() { printf '\n%s\n' "$*"; }
    show() { printf '$ %s\n' "$*"; }
fi
run() { show "$@"; "$@"; }

cp "$here"/bin/photos $bin/
title "Set up: once per machine"
run picday init
start_picdayd

title "A photo studio and a school get an account each"
printf 'demo-password' | run picday account add acme --layout jobs --password-stdin
run picday job add acme job00001
show picday account add lincoln --layout portraits --password-stdin
printf 'demo-password' | picday account add lincoln --layout portraits --password-stdin >/dev/null

# upload ACCOUNT: a batch of sftp commands on standard input, shown as they go.
upload() {
    local batch
    batch=$(cat)
    show sftp "$1@127.0.0.1"
    sed -n 's/^-\{0,1\}/sftp> /p' <<<"$batch"
    sftp_as "$1" <<<"$batch"
}
photos /mnt/camera

title "The photographer uploads an album, the school three portraits (OpenSSH sftp)"
upload acme <<'BATCH'
-mkdir "job00001/Class 1"
mkdir "job00001/Class 1/individuals"
mkdir "job00001/Class 1/group"
put /mnt/camera/IMG_000[123].jpg "job00001/Class 1/individuals/"
put /mnt/camera/IMG_0004.jpg "job00001/Class 1/group/"
put /mnt/camera/IMG_0005.jpg job00001/
BATCH
upload lincoln <<'BATCH'
put /mnt/camera/IMG_0006.jpg user-pictures/201212012.jpg
put /mnt/camera/IMG_0007.jpg user-pictures/201212013.jpg
put /mnt/camera/IMG_0008.jpg user-pictures/holiday.jpg
BATCH
begin=$(date +%s%N)
until [ "$(count photos)" = 6 ] && [ "$(count problems)" = 2 ]; do sleep 0.05; done
echo "All in the catalogue $((($(date +%s%N) - begin) / 1000000)) ms after the last byte."

title "What became of them"
run picday photos
echo
run picday problems
echo
run picday status
title "What a parent gets: a link that nobody can guess, without the camera's data"
run curl -sSI "$(picday link show lincoln 201212012)"
title "The job goes on sale: its folder leaves SFTP, its photos stay"
run picday job activate acme job00001 --with-problems
run picday job list

title "Pages for the photo office, and the studio's next job"
run picday job add acme job00002
printf 'demo-password' | run picday operator add demo --password-stdin
echo "http://127.0.0.1:$admin/   name: demo   password: demo-password"
if [ -t 0 ] && [ -t 1 ]; then
    echo "Upload more from another terminal, with the same password; acme into job00002:"
    for account in acme lincoln; do
        echo "  sftp -P $port -o UserKnownHostsFile=/dev/null $account@127.0.0.1"
    done
    read -rp "Enter ends it. " || true # Ctrl-D does too
else
    curl -fsS -o /dev/null -w 'The log-in page answers: %{http_code}\n' "http://127.0.0.1:$admin/login"
    echo "In a terminal they stay until you press Enter."
fi

title "That was it. Nothing is left on this machine."
