// Package rendition has the one type by which configuration, decoder and
// catalogue name a size in which every photo is kept.
package rendition

// A Spec names a rendition and the settings it is made with.
type Spec struct {
	Name    string `toml:"name" doc:"Part of the address <link>/<name>.jpg: a-z, 0-9 and -."`
	Longest int    `toml:"longest" doc:"Pixels of the longest side, 16 to 65535; a picture is never enlarged."`
	Quality int    `toml:"quality" doc:"JPEG quality, 1 to 100."`
}
