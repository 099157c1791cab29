#!/bin/bash
# picday's main job in one minute, for real: a private sshd, one account of
# each layout, photos uploaded by OpenSSH's own sftp, and what became of them.
#
# Everything happens in mount and process namespaces of its own, over a copy of
# /etc in memory. When it ends, however it ends, nothing is left: no user, no
# file, no process.
set -Eeuo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

if [ "${1-}" != inside ]; then
    sudo=
    if [ "$(id -u)" != 0 ]; then
        echo "The demo makes Unix accounts in a private copy of /etc; for that it needs root."
        sudo=sudo
    fi
    exec $sudo unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$here/demo/demo.sh" inside
fi

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '\033[2m$ %s\033[0m\n' "$*"; }
if [ -n "${NO_COLOR-}" ] || [ ! -t 1 ]; then
    title() { printf '\n%s\n' "$*"; }
    show() { printf '$ %s\n' "$*"; }
fi
run() { show "$@"; "$@"; }

# The private world, all of it in memory.
mount -t tmpfs -o mode=0755 picday-demo /mnt
bin=/mnt/bin world=/mnt/world
mkdir -p $bin $world/sshd_config.d /mnt/etc/upper /mnt/etc/work
cp "$here"/bin/{picday,picdayd,photos} $bin/
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/etc/upper,workdir=/mnt/etc/work picday-demo /etc
for dir in /run /var/log /var/mail; do mount -t tmpfs -o mode=0755 picday-demo $dir; done
mkdir /run/sshd
PATH=$bin:$PATH
cd /mnt

free() { # the first port from $1 on that nobody listens on
    local port=$1
    while (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
    echo $port
}
port=$(free 2222) public=$(free 8480)
admin=$(free $((public + 1)))
ssh-keygen -q -t ed25519 -N '' -f $world/host_key
cat >$world/sshd_config <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $world/host_key
PidFile $world/sshd.pid
UsePAM yes
Include $world/sshd_config.d/*.conf
Subsystem sftp internal-sftp
CONFIG
cat >$world/picday.toml <<CONFIG
upload_dir = "/mnt/srv"
data_dir   = "/mnt/lib"
run_dir    = "/mnt/lib/run"
[upload]
delete_grace = "5s"
[sshd]
config   = "$world/sshd_config"
drop_in  = "$world/sshd_config.d/00-picday.conf"
keys_dir = "$world/keys"
reload   = ["sh", "-c", "kill -HUP \$(cat $world/sshd.pid)"]
host     = "127.0.0.1"
port     = $port
[web]
public     = "127.0.0.1:$public"
admin      = "127.0.0.1:$admin"
public_url = "http://127.0.0.1:$public"
CONFIG
trap 'echo "The demo failed. The ends of its logs:"; tail -n 20 $world/*.log' ERR
export PICDAY_CONFIG=$world/picday.toml
$(command -v sshd || echo /usr/sbin/sshd) -f $world/sshd_config -E $world/sshd.log

title "Set up: once per machine"
run picday init
setpriv --reuid picday --regid picday --init-groups \
    --inh-caps=-all,+dac_read_search,+dac_override,+lease --ambient-caps=-all,+dac_read_search,+dac_override,+lease \
    picdayd 2>$world/picdayd.log &
until picday status >/dev/null 2>&1; do sleep 0.1; done

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
    sshpass -p demo-password sftp -q -o BatchMode=no -P $port -b - -o UserKnownHostsFile=/dev/null \
        -o StrictHostKeyChecking=no -o LogLevel=ERROR "$1@127.0.0.1" <<<"$batch" >/dev/null
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
count() { picday status --json | sed -n 's/^  "'"$1"'": \([0-9]*\),*/\1/p'; }
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
run picday job activate acme job00001
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
