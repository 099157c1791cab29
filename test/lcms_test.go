package test

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Without LittleCMS picdayd works, and doctor says what to install.
func TestDoctorMissesLittleCMS(t *testing.T) {
	s := newQuietSite(t)
	libs, err := filepath.Glob("/usr/lib/*/liblcms2.so.2")
	s.must(err)
	if len(libs) != 1 {
		t.Skipf("needs liblcms2-2, found: %q", libs)
	}
	// Only this thread, and the daemon that it starts, see the mount. The thread ends with
	// the test.
	runtime.LockOSThread()
	s.must(errors.Join(syscall.Unshare(syscall.CLONE_NEWNS), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("/dev/null", libs[0], "", syscall.MS_BIND, "")))
	s.daemon = s.StartDaemon()
	found := s.findings()
	if len(found) != 1 || found[0].Check != "colour profiles" || found[0].Status != "warn" || !strings.Contains(found[0].Fix, "apt install liblcms2-2") {
		t.Errorf("%+v", found)
	}
	if out := s.MustPicday("status", "--json"); !strings.Contains(out, `"lacks_profiles":true`) && !strings.Contains(out, `"lacks_profiles": true`) {
		t.Error(out)
	}
}
