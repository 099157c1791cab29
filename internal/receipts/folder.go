package receipts

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"picday/internal/layout"
)

// The names of the reports, for people and for programs.
const (
	textFile  = "report.txt"
	tableFile = "report.csv"
)

// A folder is the one with the receipts of an account.
type folder struct{ *os.Root }

// open makes the folder below dir if it is not there. dir must be such that no uploader can
// change what is in it.
func open(dir string) (*folder, error) {
	base, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	root, err := openOwn(base, layout.Receipts)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

// openOwn opens a directory that this process has made, and makes it if it is not there.
func openOwn(at *os.Root, name string) (*os.Root, error) {
	fi, err := at.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := at.Mkdir(name, 0o755); err != nil {
			return nil, err
		}
		if err := at.Chmod(name, 0o755); err != nil { // whatever the umask is
			return nil, err
		}
		fi, err = at.Lstat(name)
	}
	if err != nil {
		return nil, err
	}
	if !own(fi) {
		return nil, fmt.Errorf("%s in %s is not a folder that picdayd has made: move it away", name, at.Name())
	}
	return at.OpenRoot(name)
}

func own(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && fi.IsDir() && int(st.Uid) == os.Geteuid()
}

// of opens the folder of a job's receipt; "" = that of a school.
func (f *folder) of(job string) (*os.Root, error) {
	if job == "" {
		return f.OpenRoot(".")
	}
	return openOwn(f.Root, job)
}

// write replaces both reports, the table with its mark last.
func (f *folder) write(job string, text, table []byte) error {
	dir, err := f.of(job)
	if err != nil {
		return err
	}
	defer dir.Close()
	return errors.Join(replace(dir, textFile, text), replace(dir, tableFile, table))
}

// replace makes a file hold data, never a part of it. Who has the one before open goes on
// reading that. The temporary file is hidden, and only picdayd can read it.
func replace(dir *os.Root, name string, data []byte) error {
	temp := "." + name + ".new"
	if err := dir.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err == nil {
		err = errors.Join(out.Chmod(0o644), out.Sync())
	}
	err = errors.Join(err, out.Close())
	if err == nil {
		err = dir.Rename(temp, name)
	}
	if err != nil {
		_ = dir.Remove(temp)
	}
	return err
}

// keep removes the receipts of all other jobs: they are on sale, or gone.
func (f *folder) keep(jobs map[string]bool) error {
	at, err := f.Open(".")
	if err != nil {
		return err
	}
	entries, err := at.ReadDir(-1)
	err = errors.Join(err, at.Close())
	for _, e := range entries {
		if err == nil && !jobs[e.Name()] {
			err = f.RemoveAll(e.Name())
		}
	}
	return err
}

// remove removes the folder and all in it, if picdayd has made it.
func remove(dir string) error {
	base, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer base.Close()
	fi, err := base.Lstat(layout.Receipts)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !own(fi):
		return nil
	case err != nil:
		return err
	}
	return base.RemoveAll(layout.Receipts)
}

// markRow is the last one of a table: as of what it was written.
const markRow = "mark"

// mark returns the mark of the report that is there; "" = there is none.
func (f *folder) mark(job string) string {
	dir := f.Root
	if job != "" {
		if fi, err := f.Lstat(job); err != nil || !own(fi) {
			return ""
		}
		var err error
		if dir, err = f.OpenRoot(job); err != nil {
			return ""
		}
		defer dir.Close()
	}
	if _, err := dir.Lstat(textFile); err != nil {
		return ""
	}
	in, err := dir.Open(tableFile)
	if err != nil {
		return ""
	}
	defer in.Close()
	const tail = 256
	if fi, err := in.Stat(); err == nil && fi.Size() > tail {
		_, _ = in.Seek(-tail, io.SeekEnd)
	}
	end, _ := io.ReadAll(io.LimitReader(in, tail))
	_, last, _ := bytes.Cut(end, []byte("\n"+markRow+","))
	row, err := csv.NewReader(bytes.NewReader(append([]byte(markRow+","), last...))).Read()
	if err != nil {
		return ""
	}
	return row[len(row)-1]
}

// format is another number whenever reports are written in another way.
const format = 1

func markOf(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return hex.EncodeToString(sum[:12])
}
