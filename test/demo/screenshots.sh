#!/bin/bash
# The screenshots of the README, from an installation in the demo's private world.
# shellcheck source=test/demo/world.sh
. "$(dirname "$0")/world.sh"

cp "$here"/bin/screenshots $bin/
screenshots camera /mnt/camera
picday init >/dev/null
start_picdayd
for account in acme:jobs oakwood:jobs lincoln:portraits; do
    printf demo-password | picday account add "${account%:*}" --layout "${account#*:}" --password-stdin >/dev/null
done
picday job add acme autumn-2026 sports-day >/dev/null
picday job add oakwood first-graders >/dev/null
printf demo-password | picday operator add demo --role admin --password-stdin >/dev/null

sftp_as acme <<'BATCH'
put -R "/mnt/camera/Class 1" "autumn-2026/"
put -R "/mnt/camera/Class 2" "autumn-2026/"
put "/mnt/camera/wrong/IMG_0071.jpg" "autumn-2026/"
put "/mnt/camera/wrong/cut off.jpg" "autumn-2026/Class 2/individuals/IMG_0050.jpg"
put "/mnt/camera/wrong/timetable.jpg" "autumn-2026/Class 2/timetable.jpg"
BATCH
sftp_as oakwood <<'BATCH'
put -R "/mnt/camera/Class 3" "first-graders/"
BATCH
sftp_as lincoln <<'BATCH'
put /mnt/camera/portraits/* user-pictures/
put "/mnt/camera/wrong/Anna Schmidt.jpg" user-pictures/
BATCH
until [ "$(count photos)" = 48 ] && [ "$(count problems)" = 4 ]; do sleep 0.1; done
# One upload still runs while the pages are looked at.
sftp_as acme -l 800 <<'BATCH' 2>/dev/null &
mkdir "autumn-2026/Class 3"
put /mnt/camera/slow.jpg "autumn-2026/Class 3/IMG_0072.jpg"
BATCH
screenshots pages "http://127.0.0.1:$admin" demo-password "$here/docs/screenshots"
pngquant --force --ext .png --strip "$here"/docs/screenshots/*.png
chown --reference="$here/docs" -R "$here/docs/screenshots"
big=$(find "$here/docs/screenshots" -size +200k)
[ -z "$big" ] || { echo "larger than 200 KiB: $big" >&2; exit 1; }
