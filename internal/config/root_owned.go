package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// maxFile is far more than any configuration has, in bytes.
const maxFile = 1 << 20

// LoadRootOwned is Load for a process that grants rights by the configuration: the file
// and every directory above it must be root's, and writable for nobody else.
func LoadRootOwned(name string) (Config, error) {
	path, err := filepath.Abs(File(name))
	if err != nil {
		return Config{}, err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	for _, path := range []string{path, real} { // the way to a link, and to where it leads
		for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
			fi, err := os.Stat(dir)
			if err != nil {
				return Config{}, err
			}
			if err := checkRootOwned(dir, fi); err != nil {
				return Config{}, err
			}
			if dir == "/" {
				break
			}
		}
	}
	path = real
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err == nil {
		err = checkRootOwned(path, fi)
	}
	if err != nil {
		return Config{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Config{}, err
	}
	c, err := Parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func checkRootOwned(path string, fi os.FileInfo) error {
	uid, mode := fi.Sys().(*syscall.Stat_t).Uid, fi.Mode()
	switch {
	case uid != 0:
		return fmt.Errorf("%s belongs to uid %d, and not to root: then others could say what the pages may. Run: chown root %[1]s", path, uid)
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written by others than root (%#o): then they could say what the pages may. Run: chmod go-w %[1]s", path, mode.Perm())
	case !mode.IsDir() && !mode.IsRegular():
		return fmt.Errorf("%s is no plain file", path)
	}
	return nil
}
