package test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

var photoCount atomic.Int64

// identity returns a text that changes when a file is written or replaced.
func identity(info os.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("inode %d, %d bytes, mtime %v", st.Ino, st.Size, info.ModTime())
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// fetch requests a picture from the public listener.
func fetch(t *testing.T, url string) (status int, body []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// diskFile reads a file of an account as it lies on the disk now.
func diskFile(t *testing.T, u *bed.Uploader, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(u.Dir() + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// damage overwrites a file in the data directory.
func (s *site) damage(path string, data []byte) {
	s.t.Helper()
	s.must(os.WriteFile(path, data, 0o600))
}

// size returns the size of a file, -1 if there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// decode reads the JSON that a command has printed, whatever its exit status.
func (s *site) decode(text string, v any) {
	s.t.Helper()
	s.must(json.Unmarshal([]byte(text), v))
}
