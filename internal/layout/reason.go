package layout

// A Reason says why a file cannot become a photo.
type Reason string

// The reasons. A path alone gives the first four; the others need the content or
// the neighbours of the file.
const (
	NoAlbum        Reason = "no-album"
	UnknownFolder  Reason = "unknown-folder"
	BadName        Reason = "bad-name"
	NotJPEG        Reason = "not-jpeg"
	DuplicateID    Reason = "duplicate-id"
	Incomplete     Reason = "incomplete"
	Damaged        Reason = "damaged"
	TooComplex     Reason = "too-complex"
	TrailingData   Reason = "trailing-data"
	Unreadable     Reason = "unreadable"
	TooManyFiles   Reason = "too-many-files"   // of all that wait, one is listed
	TooManyFolders Reason = "too-many-folders" // the same
	Reverted       Reason = "reverted"
)

// Reasons are all of them.
var Reasons = []Reason{NoAlbum, UnknownFolder, BadName, DuplicateID, NotJPEG, Incomplete, Damaged, TooComplex, TrailingData, Unreadable, TooManyFiles, TooManyFolders, Reverted}

// OtherShot is listed among the problems though its file became a photo: another
// shot under a name that was taken. It is also the flag of such a photo.
const OtherShot Reason = "replaced"

var messages = map[Reason]string{
	NoAlbum:       "This file is not in an album. Move it into a folder inside the job.",
	UnknownFolder: "This folder is neither 'individuals' nor 'group'. Move the file into one of the two, or straight into the album.",
	BadName:       "The file name is not an ID followed by .jpg. Rename it, or it will be deleted.",
	DuplicateID:   "There is a newer picture for the same ID. Delete the one you do not want.",
	NotJPEG:       "This is not a JPEG photo. Export it as JPEG (.jpg) and upload that.",
	// A client that goes on writing for a moment on a full disk leaves a hole,
	// which resuming at the end does not fill.
	Incomplete:     "The upload stopped before the end of the picture. If only the connection was cut, resume it. If the program reported a failure, as when the server's disk is full, delete the file and upload it again: resuming would leave a hole in it.",
	Damaged:        "The file is complete but the picture in it is damaged. Upload it again from the camera.",
	TrailingData:   "Far more than a picture is in this file: the JPEG in it ends long before the file does. Export or copy it from the camera again as an ordinary JPEG, without a film, and upload that.",
	TooComplex:     "This JPEG is too large or of an unusual kind. Save it as an ordinary JPEG and upload it again.",
	Unreadable:     "This is a link or a special file, or it cannot be read. Upload the photo itself.",
	TooManyFiles:   "This account holds as many files as it may. This file, and others that are new, are not taken. Delete files that are not needed, or ask for the limit (max_files) to be raised.",
	TooManyFolders: "This account holds as many folders as it may. This folder, and others that are new, are not looked into. Delete folders that are not needed, or ask for the limit (max_folders) to be raised.",
	Reverted:       "An earlier picture was put back in the place of this one. If both are wanted, give this file another name.",
	OtherShot:      "This picture has taken the place of another shot of the same name. If both are wanted, upload the earlier one again under another name.",
}

// Message is a sentence for the uploader.
func (r Reason) Message() string { return messages[r] }
