package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// A helpText is what --help and the manual say of a command beyond its one
// line.
type helpText struct{ long, example string }

// helpTexts is by command, without "picday". A command whose one line says all
// there is to say is not in it.
var helpTexts = map[string]helpText{
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
	"account zone": {
		`Say to what time zone the account's cameras are set that do not write it into
their photos. The zone turns what such a camera's clock showed into a moment:
taken_at in lists and in the API. Albums are in the order of the clocks, whatever
the zone. A new account has the zone of the configuration (time_zone), or else
the machine's.`,
		`  picday account zone acme Europe/Berlin`,
	},
	"account disable": {"Keep the account out, and end its live sessions. Its files, jobs and photos stay\nas they are; an upload that was cut off can be resumed when it is enabled again.", ""},
	"account remove": {`Remove the Unix user and what sshd knows of it. While there are files or photos
one of the flags has to say what becomes of them: --keep leaves them where they
are, and adding an account of the same name and layout takes them over; --files
deletes the uploads, and the photos go to the trash and end there. Without either
an account with nothing in it, nor in the trash, ends. With an account that ends
go the operators and tokens that were for it alone.`, ""},
	"job add": {
		`Make planned jobs: each is a folder that appears at once over SFTP. Uploaders
cannot make, rename or remove such folders themselves. A job stays for good: its
name stands in the history of its photos. One that is over is activated.`,
		`  picday job add acme job00001 "Summer camp 2026"`,
	},
	"job activate": {
		`Wait until every upload into the job is through and taken in, then take its
folder out of SFTP. The job's photos stay published. While somebody still
uploads after the wait, nothing is changed and the exit status is 4.`,
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
	"problems": {`List the files that were uploaded and cannot become photos, each with what the
uploader can do about it. A file that is mended leaves the list by itself.

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
	"trash list": {`List the photos whose files were deleted. Their links are dead; until they end
they can be brought back with "picday trash restore", or by uploading them again.`, ""},
	"trash restore": {
		`Put the original back as a file where it was. The photo is published again under
its old link.`,
		`  picday trash restore acme "job00001/Class 1/IMG_0001.jpg"`,
	},
	"trash empty": {"End the photos in the trash now instead of when their time is up. They cannot be\nbrought back.", ""},
	"init": {`Make what is missing of picday on this machine: the group of the accounts, the
daemon's user, the directories, the catalogue, the file for sshd. Every run is
harmless; it says what it did, and checks sshd's configuration before and after.`, ""},
	"status": {"Show whether picdayd is alive, what it has in hand, and what keeps it from work.\nThe exit status is 1 when it does not run.", ""},
	"doctor": {"Check the machine: users, directories, sshd's configuration for every account,\nthe volume, leases, watches, space, the daemon. Each check that is not ok comes\nwith its fix; the exit status is 1 if one failed.", ""},
	"rescan": {`Make picdayd look at every file again. It notices uploads by itself and does
this once an hour; it is for whoever has changed something below the upload
directory and does not want to wait.`, ""},
}

// explain gives the commands their explanations and their words.
func (a *app) explain(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		path := strings.TrimPrefix(cmd.CommandPath(), "picday ")
		if e, ok := helpTexts[path]; ok && cmd.Long == "" {
			cmd.Long, cmd.Example = e.long, e.example
		}
		a.explain(cmd)
	}
}
