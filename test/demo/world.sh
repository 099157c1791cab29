# Sourced by demo.sh and screenshots.sh: a private machine with an sshd and picday.
#
# Everything happens in mount and process namespaces of its own, over a copy of
# /etc in memory. When it ends, however it ends, nothing is left: no user, no
# file, no process.
set -Eeuo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${1-}" != inside ]; then
    sudo=
    if [ "$(id -u)" != 0 ]; then
        echo "This makes Unix accounts in a private copy of /etc; for that it needs root."
        sudo=sudo
    fi
    exec $sudo unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0" inside
fi

# The private world, all of it in memory.
mount -t tmpfs -o mode=0755 picday-demo /mnt
bin=/mnt/bin world=/mnt/world
mkdir -p $bin $world/sshd_config.d /mnt/etc/upper /mnt/etc/work
cp "$here"/bin/{picday,picdayd} $bin/
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
trap 'echo "It failed. The ends of the logs:"; tail -n 20 $world/*.log' ERR
export PICDAY_CONFIG=$world/picday.toml
$(command -v sshd || echo /usr/sbin/sshd) -f $world/sshd_config -E $world/sshd.log

start_picdayd() {
    setpriv --reuid picday --regid picday --init-groups \
        --inh-caps=-all,+dac_read_search,+dac_override,+lease --ambient-caps=-all,+dac_read_search,+dac_override,+lease \
        picdayd 2>$world/picdayd.log &
    until picday status >/dev/null 2>&1; do sleep 0.1; done
}

sftp_as() { # sftp_as ACCOUNT: a batch of commands on standard input
    sshpass -p demo-password sftp -q "${@:2}" -o BatchMode=no -P $port -b - -o UserKnownHostsFile=/dev/null \
        -o StrictHostKeyChecking=no -o LogLevel=ERROR "$1@127.0.0.1" >/dev/null
}

count() { picday status --json | sed -n 's/^  "'"$1"'": \([0-9]*\),*/\1/p'; }
