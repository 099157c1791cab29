// Package upload handles files on the upload volume: it identifies them ([Identity],
// [Volumes]), opens them without following a link ([Open], [OpenAt]), tells whether they
// are open for writing ([Held], [Examine]), and reads the inodes of a directory
// ([Entries]).
package upload
