package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
	"picday/internal/layout"
	"picday/store"
)

func owner(fi fs.FileInfo) (uid, gid int) {
	st := fi.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}

// rootOnly checks what sshd demands of every directory above a chroot or a key file:
// only root can change it. Otherwise a client sees no more than a broken pipe after
// a correct password.
func rootOnly(path string) error {
	for dir := path; ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("%w; create it with \"picday init\"", err)
		}
		uid, _ := owner(fi)
		switch {
		case !fi.IsDir():
			return fmt.Errorf("%s is not a directory", dir)
		case uid != 0:
			return fmt.Errorf("%s belongs to uid %d, so sshd will not let anybody in below it: run \"chown root %s\"", dir, uid, dir)
		case fi.Mode().Perm()&0o022 != 0:
			return fmt.Errorf("%s can be written by others than root (%#o), so sshd will not let anybody in below it: run \"chmod go-w %s\"", dir, fi.Mode().Perm(), dir)
		}
		if dir == "/" {
			return nil
		}
	}
}

// A dir is a directory that a step wants.
type dir struct {
	path string
	own  func() (uid, gid int, err error)
	mode os.FileMode
	// anyMode: an existing one need only have the right owner. Uploaders may chmod
	// their own folders, and sftp -r does.
	anyMode bool
}

func byRoot() (uid, gid int, err error) { return 0, 0, nil }

// byAccount is the account's own user and group.
func byAccount(name string) func() (uid, gid int, err error) {
	return func() (int, int, error) {
		u, err := ownUser(name)
		if err != nil {
			return 0, 0, err
		}
		return u.uid, u.gid, nil
	}
}

// byRootFor is root, with the account's group reading.
func byRootFor(name string) func() (uid, gid int, err error) {
	return func() (int, int, error) {
		u, err := ownUser(name)
		if err != nil {
			return 0, 0, err
		}
		return 0, u.gid, nil
	}
}

// dirStep creates a directory or corrects its owner and mode. Its parent must belong
// to root, so that nobody can replace it by a link meanwhile.
func dirStep(what string, d dir) step {
	var before fs.FileInfo
	created := false
	return step{
		what: what,
		satisfied: func(context.Context) (bool, error) {
			fi, err := os.Lstat(d.path)
			if errors.Is(err, fs.ErrNotExist) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			if !fi.IsDir() {
				return false, refused("%s is in the way: it is not a directory; move it away", d.path)
			}
			uid, gid, err := d.own()
			if err != nil {
				return false, err
			}
			u, g := owner(fi)
			return u == uid && g == gid && (d.anyMode || fi.Mode().Perm() == d.mode), nil
		},
		do: func(context.Context) error {
			uid, gid, err := d.own()
			if err != nil {
				return err
			}
			before, err = os.Lstat(d.path)
			if errors.Is(err, fs.ErrNotExist) {
				created = true
				err = os.Mkdir(d.path, 0o700)
			}
			if err != nil {
				return err
			}
			if err := setDir(d.path, uid, gid, d.mode); err != nil {
				return err
			}
			return durable.SyncDir(filepath.Dir(d.path))
		},
		undo: func(context.Context) error {
			if created {
				if err := os.Remove(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return nil
			}
			if before == nil {
				return nil
			}
			uid, gid := owner(before)
			return setDir(d.path, uid, gid, before.Mode().Perm())
		},
	}
}

// setDir sets owner and mode through a descriptor, never through a link.
func setDir(path string, uid, gid int, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Chown(uid, gid); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return durable.SyncOpenDir(f)
}

// makeParents returns steps that create the missing parents of path, owned by root.
func makeParents(path string) []step {
	var steps []step
	for dirPath := filepath.Dir(path); ; dirPath = filepath.Dir(dirPath) {
		if _, err := os.Stat(dirPath); !errors.Is(err, fs.ErrNotExist) {
			return steps
		}
		st := dirStep("created "+dirPath, dir{path: dirPath, own: byRoot, mode: 0o755})
		steps = append([]step{st}, steps...)
	}
}

// dirsOf returns the directories that picday makes for an account, from the chroot
// down to where uploads begin.
func (s *System) dirsOf(a store.Account) []string {
	base := s.Base(a.Name)
	if a.Layout != layout.Portraits {
		return []string{base}
	}
	inner := filepath.Join(base, a.Name)
	return []string{base, inner, filepath.Join(inner, layout.UserPictures)}
}

// treeSteps make the account's chroot. All directories above the uploads belong to
// root.
func (s *System) treeSteps(a store.Account) (steps []step) {
	for i, path := range s.dirsOf(a) {
		d := dir{path: path, own: byRootFor(a.Name), mode: 0o750}
		if i == 2 { // user-pictures is the uploader's
			d.own, d.anyMode = byAccount(a.Name), true
		}
		steps = append(steps, dirStep("prepared "+path, d))
	}
	return steps
}

// uploadRoots returns the existing directories that uploaders own: each job's
// folder, visible or hidden, or the pictures.
func (s *System) uploadRoots(a store.Account) ([]string, error) {
	if a.Layout == layout.Portraits {
		pics := filepath.Join(s.Base(a.Name), a.Name, layout.UserPictures)
		if _, err := os.Lstat(pics); err != nil {
			return nil, ignoreMissing(err)
		}
		return []string{pics}, nil
	}
	var out []string
	for _, parent := range []string{s.Base(a.Name), s.hiddenBase(a.Name)} {
		entries, err := os.ReadDir(parent)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() && e.Name() != layout.Receipts {
				out = append(out, filepath.Join(parent, e.Name()))
			}
		}
	}
	return out, nil
}

// takeOverStep gives the files of an earlier account of this name to the new Unix
// user. The top of each tree is changed last, so that a run after one that was
// killed does the whole tree again.
func (s *System) takeOverStep(a store.Account) step {
	foreign := func() (roots []string, uid, gid int, err error) {
		u, err := lookupUser(a.Name)
		if u == nil || err != nil {
			return nil, 0, 0, err
		}
		all, err := s.uploadRoots(a)
		if err != nil {
			return nil, 0, 0, err
		}
		for _, path := range all {
			fi, err := os.Lstat(path)
			if err != nil {
				return nil, 0, 0, err
			}
			if fuid, _ := owner(fi); fuid != u.uid && fuid != 0 {
				roots = append(roots, path)
			}
		}
		return roots, u.uid, u.gid, nil
	}
	return step{
		what: fmt.Sprintf("gave the files of an earlier account %s to the new one", a.Name),
		satisfied: func(context.Context) (bool, error) {
			roots, _, _, err := foreign()
			return len(roots) == 0, err
		},
		do: func(context.Context) error {
			roots, uid, gid, err := foreign()
			if err != nil {
				return err
			}
			for _, path := range roots {
				if err := chownTree(path, uid, gid); err != nil {
					return fmt.Errorf("take over %s: %w", path, err)
				}
			}
			return nil
		},
	}
}

// chownTree changes the owner of everything below and at path, never leaving
// it through a link.
func chownTree(path string, uid, gid int) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		return root.Lchown(name, uid, gid)
	})
	if err != nil {
		return err
	}
	return root.Chown(".", uid, gid)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// noMountsBelow refuses a tree with a mount point in it, because removing the tree
// would empty what is mounted.
func noMountsBelow(path string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("look for mount points: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		at := unescapeMount(f[4])
		if at == path || strings.HasPrefix(at, path+"/") {
			return refused("%s is a mount point: unmount it before the files are removed, or keep them", at)
		}
	}
	return nil
}

// unescapeMount undoes the kernel's octal escapes in mount points.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
