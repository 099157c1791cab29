package roothelper

import (
	"errors"
	"net"
	"os"
)

// Connection is the Unix socket that a file is, such as the standard input that systemd
// starts a program with for each connection.
func Connection(f *os.File) (*net.UnixConn, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("standard input is no Unix socket"), c.Close())
	}
	return conn, nil
}
