package verify

import (
	"cmp"
	"fmt"

	"picday/internal/contract"
	"picday/internal/shell"
)

// A Finding is one thing that is not as it must be.
type Finding struct {
	What    What
	Account string // "" where it is about none
	Path    string // in shown form, as the uploader sees it; "" where it is about none
	Person  string // of a portrait
	File    string // on this machine; "" where it is about none
	Stored  string // the picture's file relative to the data directory, as a backup has it too
	Message string // what is wrong, without a full stop
}

// What is a kind of Finding.
type What int

// The kinds.
const (
	UnsoundCatalogue      What = iota + 1
	WrongVolume                // another volume, or none, is mounted: the uploads were not compared
	DamagedOriginal            //
	DamagedRendition           // it can be made anew: Repair has it made
	UnrepairableRendition      // a damaged rendition whose original is damaged too
	FolderGone                 // a folder that no uploader can remove
	FileUnreadable             //
	FileGone                   // and the daemon has not withdrawn it
	FileGoneWhileStopped       // and no daemon is there to withdraw it
	NotTaken                   // the daemon has looked at everything and has not taken the file in
	NotLookedAt                // the daemon does not take in files there; the Message says why
	PhotoWithoutFile
	DoublePhoto
	WrongLink
	Orphan // a file in the data directory that nothing points to
)

// Kind is the word for it in verify --json.
func (w What) Kind() string { return kinds[w] }

var kinds = map[What]string{
	UnsoundCatalogue: "catalogue", WrongVolume: "volume", DamagedOriginal: "original",
	DamagedRendition: "rendition", UnrepairableRendition: "rendition", FolderGone: "folder",
	FileUnreadable: "upload", FileGone: "upload", FileGoneWhileStopped: "upload", NotTaken: "upload", NotLookedAt: "upload",
	PhotoWithoutFile: "no-file", DoublePhoto: "double", WrongLink: "link", Orphan: "orphan",
}

// JSON is the finding for programs.
func (f Finding) JSON() contract.Difference {
	return contract.Difference{Kind: f.What.Kind(), Account: f.Account, Path: f.Path, File: f.File, Message: f.Message, Fix: f.Fix()}
}

// Fix is what to do about the finding, without a full stop.
func (f Finding) Fix() string {
	switch f.What {
	case UnsoundCatalogue:
		return "Stop picdayd and restore the catalogue from a backup"
	case WrongVolume:
		return "The uploads were not compared"
	case DamagedOriginal:
		return fmt.Sprintf("Copy %s from the backup directory over it, or have the photo uploaded again under another name", f.Stored)
	case DamagedRendition:
		return "Stop picdayd, run 'picday verify --repair', start picdayd: it makes it anew"
	case UnrepairableRendition:
		return "It cannot be made anew before its original is right; copy " + f.Stored + " from the backup directory"
	case FolderGone:
		return "Bring it back from where it went; 'picday doctor' says more"
	case FileUnreadable:
		return "Look at the file as root"
	case FileGone:
		return "If its uploader deleted it, 'picday rescan --wait' withdraws the photo a little later"
	case FileGoneWhileStopped:
		return "Start picdayd: if its uploader deleted it, the photo is withdrawn a little later"
	case NotTaken:
		return "Look why: journalctl -u picdayd"
	case NotLookedAt:
		return "Move it away, or make the job or account take uploads again, or raise the limit"
	case PhotoWithoutFile:
		return "Have it uploaded again at this path, or withdraw it on the pages"
	case DoublePhoto:
		return "Look at them on the pages, and withdraw those that are not what was uploaded last"
	case WrongLink:
		return "Give it a new one: " + shell.Line("picday", "link", "rotate", f.Account, cmp.Or(f.Person, f.Path))
	case Orphan:
		return "It only takes space; to delete it, stop picdayd and run 'picday verify --repair'"
	}
	return ""
}
