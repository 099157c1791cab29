package manual

import "maps"

func init() { maps.Copy(Texts, peopleTexts) }

// A Text is what --help and the manual say of a command beyond its one line.
type Text struct{ Long, Example string }

// Texts are by command of picday, "" for picday itself. A command whose one line says
// all there is to say is not in it.
var Texts = map[string]Text{
	"": {
		`picday turns this machine's OpenSSH into a photo intake: it makes the locked-down
SFTP accounts, and shows what the daemon picdayd has taken in from them.`,
		`  picday init                                 # once, on a new machine
  picday account add acme --layout jobs       # a studio: prints what to tell it
  picday job add acme job00001                # a folder to upload into
  picday photos acme --job job00001           # what has come in
  picday problems                             # what cannot become a photo, and why`,
	},
	"account add": {
		`Make the Unix user, its folder and its place in sshd's configuration, and print
the connection card: what the uploader needs to know. Unless a password is given
or --no-password, one is generated and printed once.

An account of the layout jobs is for a photo studio and is empty until it has a
job. One of the layout portraits is for a school: it has one folder,
user-pictures, for one picture per person, named by ID.`,
		`  picday account add acme --layout jobs
  picday account add lincoln --layout portraits --allow-from 203.0.113.0/24
  picday account add tills --layout portraits --password-stdin < password.txt`,
	},
	"account card": {
		`Print the connection card again, without the password, which nobody knows but
the uploader. As filezilla it is a file for FileZilla's Site Manager, as winscp
an address that WinSCP opens and that pins this machine's host key.`,
		`  picday account card acme --format filezilla > acme.xml`,
	},
	"account allow": {
		`Replace the networks from which the account may log in; without any it may from
anywhere. Sessions that are open go on. Where "picday firewall" is loaded, load
it again.`,
		`  picday account allow lincoln 203.0.113.0/24 2001:db8:7::/48`,
	},
	"account language": {
		`Say in which language the account's connection card is, which its uploaders read:
en or de. A new account has the language of the configuration (language), or that of
"picday account add --language". Pages are in the language that each reader prefers or
chooses there; what picday and its API say is English.`,
		`  picday account language lincoln de`,
	},
	"account zone": {
		`Say to what time zone the account's cameras are set that do not write it into
their photos. The zone turns what such a camera's clock showed into a moment:
taken_at in lists and in the API. Albums are in the order of the clocks, whatever
the zone. A new account has the zone of the configuration (time_zone), or else
the machine's.`,
		`  picday account zone acme Europe/Berlin`,
	},
	"account areas": {`Say what folders in this account's albums are called besides individuals and group. Case
does not matter. [upload] individuals and group are for all accounts; the account's own
count more. Each call replaces the names of before. picdayd looks again at such folders,
so that problems become photos; a photo whose folder loses its meaning stays published.
Lists, JSON and the API say individuals or group, whatever the folder's name.`, `  picday account areas acme --individuals Einzel --group Gruppe`},
	"account disable": {"Keep the account and its log-ins out, and end their live sessions. Its files, jobs\nand photos stay as they are; an upload that was cut off can be resumed when it is\nenabled again.", ""},
	"account remove": {`Remove the Unix user, those of its log-ins, and what sshd knows of them. While there
are files, photos or jobs one of the flags has to say what becomes of them: --keep leaves
them where they are, and adding an account of the same name and layout takes them
over, without the log-ins; --files deletes the uploads, and the photos go to the
trash and end there. Without either an account with nothing in it, nor in the trash,
ends. With an account that ends go the operators and tokens that were for it alone.`, ""},
	"account login add": {
		`Make a further log-in of an account, for one person such as a studio's freelancer:
a name with a password, keys and a last day of its own, and print its connection
card. It sees what the account sees, from the same networks, and owns what the
account owns: each can overwrite, rename and delete what another one has uploaded.
It is ended alone, without the others' sessions. "picday account passwd", "key",
"card" and "show" take its name too. Names of accounts and log-ins are unique.

The last day ends at midnight by the machine's clock. picday-logins.timer then
closes the log-in and ends its sessions, within some seconds; without it run
"picday account login expire" from cron. sshd refuses the log-in by itself at the
following midnight in UTC, without PAM (UsePAM no) a day later, and leaves sessions
that are open to the timer.`,
		`  picday account login add acme anna --until 2026-07-31
  picday account login add acme bert --no-password --key bert.pub`,
	},
	"account login remove": {`Keep the log-in out, end its live sessions and those alone, and delete it. What was
uploaded by it stays, and is the account's. An upload that was cut off waits like
any other one.`, ""},
	"account login until": {
		`Give a log-in another last day, such as 2026-07-31, or with "never" none. One that was
closed because its last day was over is opened again, with its password and keys,
if the account is enabled. Sessions that are open go on until the new last day.`,
		`  picday account login until acme anna 2027-07-31`,
	},
	"account login expire": {`Close every log-in whose last day is over, and end its live sessions.
picday-logins.timer runs this every quarter of an hour. A log-in that was closed
stays in the list until it is removed, or gets another last day by
"picday account login until".`, ""},
	"job remove": {
		`Take a planned job away that was added by mistake: its folder must be empty, and
no photo or file of it may be known, also none in the trash. Otherwise it stays.`,
		`  picday job remove acme job00001`,
	},
	"job add": {
		`Make planned jobs: each is a folder that appears at once over SFTP. Uploaders
cannot make, rename or remove such folders themselves. With --expected the pages and
"picday job list" say how many photos are still to come; it is set anew in the same way.
A job that has had a photo stays for good. One that is over is activated.`,
		`  picday job add acme job00001 "Summer camp 2026"`,
	},
	"job activate": {
		`Wait until every upload into the job is through and taken in, then take its
folder out of SFTP. The job's photos stay published. While somebody still
uploads after the wait, or files of the job could not become photos and would be
left behind, nothing is changed and the exit status is 4.`,
		`  picday job activate acme job00001 --wait 30m`,
	},
	"photos": {
		`List the published photos, all or those that the flags leave, with the address
under which the first rendition of each is served.

Flags: "small" is narrower than 600 pixels. "unusual" is a file that breaks the
rules of JPEG in a place where the picture does not suffer from it, such as
rubbish between its segments, padding behind the picture, or no end marker. It
is whole, and worth a look all the same.`,
		`  picday photos acme --job job00001 --album "Class 1" --area group
  picday photos lincoln --person 201212012 --json`,
	},
	"mirror": {
		`Keep a directory of pictures in step with an installation, for tills that must
work without the network: <ID>.jpg for each person of an account with portraits,
else <id>.jpg, where id is the photo's number in the API. The token is one that
"picday token add" made there; nothing else of picday is needed on this machine.

A picture appears under its name when all of it is there, and one that was
withdrawn is removed within seconds. The command goes on until it is ended, and
goes on where it was when it is started again; what it cannot reach it tries
again and again. The directory must be empty at first. Then it is the mirror's:
every .jpg that is not on the installation's list is removed. What the mirror
needs for itself is in .picday-mirror inside.

Pictures are fetched from URL's host only, unless --pictures names another
address, and no redirect is followed. As a service: systemctl enable --now
picday-mirror@NAME, see /lib/systemd/system/picday-mirror@.service.`,
		`  picday mirror https://photos.example.com /srv/till --token-file token
  picday mirror https://photos.example.com /srv/till --token-file token --once --check`,
	},
	"import": {
		`Copy the photos below DIR into the folders of an account, with the owner and mode that
uploads have; picdayd takes them in from there. With JOB what is in DIR goes into
that job's folder, without it each folder in DIR is a job of that name. A school's
pictures go into user-pictures. DIR is not changed.

Only what can become a photo where it will be is copied; what else there is is
named. Links are not followed. Where a file with other content is in a photo's
place, that photo is not copied and the exit status is 4. The command can be
ended at any moment: run again, it goes on. The upload volume has to be able to
make files without a name, as ext4, XFS, Btrfs and tmpfs are; NFS is not. What
has the same size and time of change in both places is not read again.`,
		`  picday import acme job00001 /mnt/old/2025/job00001 --dry-run
  picday import lincoln /mnt/old/pictures`,
	},
	"problems": {`List the files that were uploaded and cannot become photos, each with what the
uploader can do about it. A file that is mended leaves the list by itself. On the
pages an operator can say that files are no photos and to be ignored: until they
change they are listed with --ignored only, and count as problems nowhere.

Listed last, as "replaced", are photos that took the place of another shot of the
same name, which often is another child's: "picday photo revert" puts the earlier
picture back, "picday photo accept" says that the new one is right.`, ""},
	"photo history": {
		`List the pictures that a photo was before, the latest first, below the one that it
is now. An earlier picture is kept for as long as the trash.`,
		`  picday photo history acme "job00001/Class 1/IMG_0001.jpg"`,
	},
	"photo revert": {
		`Show an earlier picture again under the photo's link: the one whose place another
shot took, or else the latest. The uploader's file stays where it is, and is a
problem until it has another name; then it is a photo of its own.`,
		`  picday photo revert acme "job00001/Class 1/IMG_0001.jpg"
  picday photo revert lincoln 201212012 --sha256 1f0e`,
	},
	"photo accept": {
		`Say that the new picture is right where another shot took an earlier one's place.
The photo is no longer among the problems.`,
		`  picday photo accept acme "job00001/Class 1/IMG_0001.jpg"`,
	},
	"trash list": {`List the photos whose files were deleted, and those that operators have withdrawn.
Their links are dead. Until they end they can be brought back with "picday trash
restore"; one whose file was deleted comes back by uploading it again, too. One
that an operator has withdrawn stays so while its file is there, however long.`, ""},
	"trash restore": {
		`Put the original back as a file where it was. The photo is published again under
its old link. PATH may be a folder, then all below it comes back; "/" is all of the
account. A file that is there is never replaced. What an operator has withdrawn is
restored only by its own path.`,
		`  picday trash restore acme "job00001/Class 1/IMG_0001.jpg"
  picday trash restore acme job00001 --since 2h --dry-run`,
	},
	"trash empty": {`End the photos in the trash now instead of when their time is up. They cannot be
brought back. What an operator has withdrawn stays while its file is there.`, ""},
	"init": {`Make what is missing of picday on this machine: the group of the accounts, the
daemon's user, the directories, the catalogue, the file for sshd. Every run is
harmless; it says what it did, and checks sshd's configuration before and after.`, ""},
	"status": {"Show whether picdayd is alive, what it has in hand, and what keeps it from work.\nThe exit status is 1 when it does not run.", ""},
	"doctor": {"Check the machine: users, directories, sshd's configuration for every account,\nthe volume, leases, watches, space, the daemon. Each check that is not ok comes\nwith its fix; the exit status is 1 if one failed.", ""},
	"rescan": {`Make picdayd look at every file again. It notices uploads by itself and does
this once an hour; it is for whoever has changed something below the upload
directory and does not want to wait.`, ""},
	"backup": {
		`Copy the catalogue, the link key, the configuration, the accounts with their
password hashes and keys, and all originals and renditions to DIR. picdayd goes
on working. Pictures that are in DIR already are not copied again, so it is
quick to run often. The backup before stays good until the new one is whole.

DIR is for root alone. Not in it: SSH host keys (copy /etc/ssh/ssh_host_* if
uploaders' programs shall not ask about a new machine), uploads that are not
photos yet, and files that cannot become photos.`,
		`  picday backup /mnt/backup/picday            # every night: only what is new is copied
  picday backup /mnt/backup/picday --check    # now and then: is the backup still sound?`,
	},
	"restore": {
		`Put a backup onto a machine whose catalogue is empty: the configuration (unless
this machine has its own), the link key, the catalogue, all pictures, and the
accounts with their passwords, keys, folders and files. Uploaders see their files
as before; links stay the same; nothing is decoded and nothing is withdrawn.

A backup is as good as root: whoever can change it gets log-ins, keys and commands
onto this machine. So DIR and all above it must be root's, and a configuration
that says what is run, where files are or who can connect is taken only with
--with-config. Without it the difference is shown.

picdayd must be stopped. If it is interrupted, run it again.`,
		`  systemctl stop picdayd && picday restore /mnt/backup/picday && systemctl start picdayd`,
	},
	"rebuild": {
		`Make the catalogue anew when it is lost or damaged, from the manifest, the upload
volume and the originals. The manifest is a copy of the catalogue that picdayd writes
beside the originals, each five minutes if something has changed. Links, rotations and
withdrawals are as the manifest knows them. A photo whose file is not the one of the
manifest any more is withdrawn until picdayd has looked at the file; jobs are planned
or active as their folders are. What could not be known is listed.

A catalogue that works is not touched (exit status 4), one that does not is kept. With
the whole data directory lost, use restore. picdayd must be stopped, unless it waits for
a catalogue; then it goes on by itself.`,
		`  systemctl stop picdayd && picday rebuild && systemctl start picdayd`,
	},
	"close": {
		`Lock every account out, end its sessions, and take picday's file away from
sshd. Nothing is forgotten: 'picday init' lets those in again that were enabled.
Removing the package does this by itself.`,
		"",
	},
	"completion": {
		`Print a script that makes bash, zsh or fish complete commands and flags, and the
names of accounts and jobs for those who can read the catalogue. The Debian
package installs all three.`,
		`  source <(picday completion bash)      # for this bash; needs the package bash-completion
  picday completion zsh > "${fpath[1]}/_picday"
  picday completion fish > ~/.config/fish/completions/picday.fish`,
	},
	"firewall": {
		`Print an nftables file that lets only the networks of all enabled accounts, and
those given with --also, open connections to SSH, on the port that picday.toml
names under [sshd]. Nobody else gets an answer: the connection times out.
Nothing is in force until you load it; picday never does. Loading it replaces
the table "inet picday" in one go and touches no other table, and connections
that are open go on.

This is about every login by SSH on that port, yours too. So it is refused, with
exit status 4, without --also (or --no-admin), when the address you are logged
in from is not in the set, as far as sudo lets it be known, when an enabled
account may upload from anywhere, and when nobody could connect at all.

The set is as old as its last loading. The units picday-firewall.service, .path
and .timer load it after every change of an account, at boot, and every 15
minutes, in case somebody has flushed it. They do nothing until you enable them:
say who you are with "systemctl edit picday-firewall.service", adding

  [Service]
  Environment="PICDAY_FIREWALL=--also 198.51.100.0/24"

and then "systemctl enable --now picday-firewall.{service,path,timer}". If it is
refused later the unit fails, and the last set that was good stays in force.`,
		`  picday firewall --also 198.51.100.0/24               # look at it first
  systemd-run --unit=picday-way-back --on-active=5min nft delete table inet picday
                                                       # a way back, by itself
  picday firewall --also 198.51.100.0/24 | nft -f -    # load it
  systemctl stop picday-way-back.timer                 # you can still log in: keep it`,
	},
	"explain": {`Tell everything known about one file, and why it is in the state it is in. PATH
is what the uploader sees, from the root of his SFTP view:
"job00001/Class 1/IMG_1.jpg", "lincoln/user-pictures/2012.jpg". What is said can be
passed on: of the link only the beginning is in it. Last come picdayd's looks at the file
since its start: size, inode, times, and what each piece of evidence said.`, ""},
	"verify": {`Compare the uploads, the catalogue, and the originals and renditions on disk.
Every original and every rendition is read and hashed, every rendition decoded;
there is one photo at a path, with its file, and every link is computed again.
picdayd may go on working: what it has in hand is no difference, and
what changes meanwhile is looked at again. Exit status 1 on any difference.`, ""},
	"events list": {
		`List what people and programs are told, and who has it. An event is kept for a month
(notify.keep). What happens is told when: an upload into a job or an account of
portraits is over (upload.quiet), problems get old (problems.old), files wait
although nothing is taken in (waiting.long, waiting.over), a disk gets full
(disk.low, disk.enough), picdayd is not proven to work (daemon.unproven,
daemon.proven). picday.toml says by [notify] when, by [mail] and [[webhook]] how.

A delivery that fails is tried again, for a week. Events of one account reach a
receiver in order: the later ones wait for the first.`,
		`  picday events list --undelivered
  picday events list acme --json`,
	},
	"events retry": {`Try again at once what waits, also what was given up after a week: these events, or
all. Uploads do not wait for any of it.`, `  picday events retry evt_k3v5q2m7x4wd`},
	"events test": {`Have picdayd send a test event to every receiver who is told of the machine, or, with
ACCOUNT, of that account, and wait until each was tried. The exit status is 1 if
one does not have it.`, ""},
	"events sandbox": {
		`Print a drop-in for picdayd's unit. The unit lets picdayd connect to this machine
only. The drop-in lets it reach the addresses that the mail server and the webhooks
of picday.toml have at the moment, and the name servers, and nothing else. When an
address changes, deliveries fail, and "picday doctor" says so: do it again then.`,
		`  picday events sandbox | sudo install -Dm644 /dev/stdin \
      /etc/systemd/system/picdayd.service.d/50-events.conf
  sudo systemctl daemon-reload && sudo systemctl restart picdayd`,
	},
	"operator email": {
		`Say at which address an operator gets mail about events, and about which accounts:
without --about those of all accounts that he sees, and those of the machine if he
sees all. He gets at most one message about an account in five minutes
(mail.every), with all that has happened. Without ADDRESS he gets none.`,
		`  picday operator email eva eva@example.com
  picday operator email otto otto@example.com --about acme --about lincoln`,
	},
	"operator add": {
		`Make a log-in for the administration pages. Who has the role look sees everything
and can download; with work he also withdraws and restores photos, rotates links,
and puts jobs on sale; with admin he also makes and ends log-ins of the pages and
tokens there. With --account all of that is about one account. With --email it also
gets mail about what happens there; the address can be changed on the pages, and
with picday operator email.`,
		`  picday operator add eva --role admin
  picday operator add acme --role look --account acme   # a photographer who may look`,
	},
}
