package notify

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"syscall"
)

const maxSecret = 4096 // bytes

// readSecret reads a file that nobody but root and picday's user may read.
func readSecret(path string) (string, error) {
	// O_NONBLOCK: opening a fifo must not wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !fi.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	owner := fi.Sys().(*syscall.Stat_t).Uid
	if fi.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read or written by others (mode %04o): chmod 0600 %[1]s", path, fi.Mode().Perm())
	}
	if int(owner) != 0 && int(owner) != os.Geteuid() && os.Geteuid() != 0 {
		return "", fmt.Errorf("%s belongs to the user number %d: chown root %[1]s", path, owner)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(text) > maxSecret {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxSecret)
	}
	return string(text), err
}

// maxAuthorities is more than any system's bundle has, in bytes.
const maxAuthorities = 4 << 20

func readAuthorities(path string) (*x509.CertPool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAuthorities))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return pool, nil
}
