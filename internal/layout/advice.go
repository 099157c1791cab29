package layout

import (
	"path"
	"strings"
)

// A fileKind is what a file is by the ending of its name, as far as the advice differs.
type fileKind int

const (
	otherKind fileKind = iota
	jpegKind
	pictureKind // a picture that can be exported as JPEG
	rawKind
	pdfKind
	videoKind
	archiveKind
	documentKind
	sideKind // of a camera or photo program, beside a picture
)

var kindOf = map[string]fileKind{}

func init() {
	for kind, endings := range map[fileKind]string{
		pictureKind:  "png gif bmp webp tif tiff heic heif hif avif jp2 jxl psd psb svg",
		pdfKind:      "pdf",
		videoKind:    "mp4 mov avi mts m2ts m4v mkv 3gp mpg mpeg wmv webm",
		archiveKind:  "zip rar 7z tar gz tgz",
		documentKind: "doc docx odt rtf txt pages xls xlsx ods csv numbers ppt pptx odp key html htm eml msg",
	} {
		for e := range strings.FieldsSeq(endings) {
			kindOf["."+e] = kind
		}
	}
	for _, e := range rawEndings {
		kindOf[e] = rawKind
	}
	for _, e := range sideEndings {
		kindOf[e] = sideKind
	}
	kindOf[".jpg"], kindOf[".jpeg"], kindOf[".jfif"] = jpegKind, jpegKind, jpegKind
}

// notPhoto is the advice about a file that is no JPEG, by its kind.
var notPhoto = map[fileKind]string{
	otherKind:    "This is not a JPEG photo. Export it as JPEG (.jpg) and upload that, or delete it.",
	jpegKind:     "The name says JPEG, but the content is something else: another name does not change what a file is. Export it as JPEG again and upload that.",
	pictureKind:  "This is a picture of another kind than JPEG. Export it as JPEG (.jpg) and upload that: another name does not change what a file is.",
	rawKind:      "This is camera RAW, and picday publishes JPEG only: upload its JPEG too.",
	pdfKind:      "This is a PDF, not a photo. Export the pictures in it as JPEG (.jpg) and upload those, or delete it.",
	videoKind:    "This is a video, not a photo. Delete it here, and upload photos as JPEG (.jpg).",
	archiveKind:  "This is an archive, into which picday does not look. Unpack it, and upload the photos in it as files.",
	documentKind: "This is a document, not a photo. Delete it here, and send it some other way.",
	sideKind:     "This file of settings has no JPEG beside it. Upload the JPEG of the same name into this folder, or delete it.",
}

const (
	alsoIntoAlbum = "The JPEG belongs into a folder inside the job."
	alsoIntoArea  = "The JPEG belongs into 'individuals' or 'group', or straight into the album."
	tooDeep       = "This folder lies too deep, and nothing in it is looked at. Move what is in it into an album."
	inAFolder     = "This file lies in a folder of its own. Move it straight into user-pictures, or it will be deleted."
	byID          = "Name the JPEG by the person's ID. The file here will be deleted."
	isDeleted     = "If nobody does, it will be deleted."
)

// Advice says to the uploader of the file at path why it is no photo, and what helps: one
// or two sentences, each whole. It goes by the name, so it may be wrong about what is in
// the file.
func Advice(r Reason, name string) []string {
	kind := kindOf[strings.ToLower(path.Ext(name))]
	switch {
	case r == UnknownFolder && Deepest(name):
		return []string{tooDeep}
	case r == NotJPEG:
		return []string{notPhoto[kind]}
	case r == NoAlbum && kind != jpegKind && kind != otherKind:
		return both(kind, alsoIntoAlbum)
	case r == UnknownFolder && kind != jpegKind && kind != otherKind:
		return both(kind, alsoIntoArea)
	case r == BadName && strings.Count(name, "/") > 2:
		return []string{inAFolder}
	case r == BadName && (kind == pictureKind || kind == rawKind):
		return []string{notPhoto[kind], byID}
	case r == BadName && kind != jpegKind && kind != otherKind:
		return []string{notPhoto[kind], isDeleted}
	}
	return []string{r.Message()}
}

// Sentences are all that Advice says beside the messages of reasons.
func Sentences() []string {
	all := []string{alsoIntoAlbum, alsoIntoArea, tooDeep, inAFolder, byID, isDeleted}
	for _, text := range notPhoto {
		all = append(all, text)
	}
	return all
}

// both adds where the JPEG belongs, if there is to be one.
func both(kind fileKind, place string) []string {
	if kind == pictureKind || kind == rawKind || kind == pdfKind {
		return []string{notPhoto[kind], place}
	}
	return []string{notPhoto[kind]}
}
