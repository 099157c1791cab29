package manual

// peopleTexts are the Texts of commands about people, lists of them and cards.
var peopleTexts = map[string]Text{
	"roster import": {
		`Take a customer's list of people: of a job, or of a school with portraits. FILE is CSV,
or text with tabs, semicolons or vertical bars, or an Excel workbook (.xlsx); columns
are known by the names that student systems give them, see docs/rosters.md. What the
list changes is said.

Whoever is not on the list any more is marked as missing from it; nobody is deleted,
and photos stay as they are. A list on which more than a tenth of the people before are
missing is taken with --accept only: otherwise the exit status is 4.`,
		`  picday roster import acme job00001 list.csv --dry-run
  picday roster import lincoln students.xlsx`,
	},
	"roster show": {`List the people of a job, or of a school with portraits, by class and name, with what
their cards say and how many published photos there are of each.`, ""},
	"roster remove": {
		`Forget somebody: the name, the ID, the class and further columns, and who is on which
photo. The photos stay, and are nobody's. The code of the card is never given out again.
Whoever is on the next list again is somebody new to picday.`,
		`  picday roster remove acme job00001 K7Q2
  picday roster remove lincoln 0123`,
	},
	"job cards": {
		`Show how a job deals with the pictures of cards, or change it with flags.

By default a card is taken before its subject, a code that nobody has makes a new person
without a name, and who is on the photos of an album changes by approval only after ten
minutes without an upload into it. What was found out before stays until it is due again.`,
		`  picday job cards acme job00001
  picday job cards acme job00001 --card after --unknown refuse --quiet 30m`,
	},
	"proposal list": {`List changes of who is on photos that wait for a person, because the photos could be
seen under a name already: by album, with the codes of who is and who would be on them.
--json names each photo.`, `  picday proposal list acme
  picday proposal list --state approved --json`},
	"proposal approve": {`Do what a proposal says, in one step. Its photos get new links, because whoever had them
before may have the old ones, which are dead from the next request on.`, `  picday proposal approve 12`},
	"proposal reject": {`Leave the photos of a proposal whose they are. Cards do not change that any more.`, `  picday proposal reject 12`},
	"proposal undo": {`Put back what was before a proposal was approved, with new links again. Cards do not
change these photos any more.`, `  picday proposal undo 12`},
	"missing": {
		`List who has no published photo, by class and name. Where there is only the photo of the
person's card, or a file named by the ID that cannot become a photo, it is named. In a
school with portraits the list ends with the portraits of IDs that are on no list; they
stay published. IDs that are almost the same, as 123 and 0123, are named with each other.`,
		`  picday missing acme job00001
  picday missing lincoln --csv > missing.csv`,
	},
	"cards": {
		`Print a card for everybody on the list: a QR code, the name and the class. The picture
of a card says whose pictures follow. Codes are made when somebody becomes known, cannot
be guessed, and are never given out again; where the list has codes, those are printed.

A code is read from 8 % of the picture's longer edge on. Print one or two on a sheet for
cards that are held up from some distance.`,
		`  picday cards acme job00001 -o cards.pdf
  picday cards acme job00001 --missing --per-sheet 1 -o missing.pdf
  picday cards acme job00001 --spare 10 -o spare.pdf`,
	},
	"export": {
		`Write one picture of each person, the one chosen on the pages or else the latest, cut and
sized for another program; before anything is written it is said who is left out, and why.
Pictures are cut to the ratio of the format: a quarter of what is too high above, the rest
below, or as --top or the pages say. A picture that is not upright is left out, not
guessed, until somebody has cut it on the pages. The same photos give the same bytes.

pspi: a volume for yearbook programs, with INDEX.TXT and MASTER.TXT, 640x800 and 320x400.
powerschool: 200x300 and map.txt. infinite-campus: 350x526, named by ID. destiny: at most
20 KB and idlink.txt. flat: named by ID, for tills and badges. Zips are split at the
limits of the programs: NAME.zip, NAME-2.zip. A school without a list has its portraits
exported by their IDs.`,
		`  picday export pspi acme job00001 -o /mnt/stick
  picday export flat lincoln --size 300x400 --kilobytes 100 -o till.zip`,
	},
}
