// Package zone finds time zones by their IANA names, such as Europe/Berlin. Their data is
// part of the program, so that it needs no files of the machine.
package zone

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "time/tzdata"
)

// UTC is the zone of accounts for which none is set.
const UTC = "UTC"

var known sync.Map // name to *time.Location; to parse one takes a while

// Load finds a zone. "Local" is an error: it is another zone on each machine.
func Load(name string) (*time.Location, error) {
	if l, ok := known.Load(name); ok {
		return l.(*time.Location), nil
	}
	if name == "" || name == "Local" || name == "localtime" || len(name) > 64 {
		return nil, fmt.Errorf("%.64q is not a time zone: give its IANA name, such as Europe/Berlin or UTC", name)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone: give its IANA name, such as Europe/Berlin or UTC", name)
	}
	known.Store(name, l)
	return l, nil
}

// Machine is the name of this machine's zone, UTC if that cannot be found out.
func Machine() string { return machine("/etc") }

func machine(etc string) string {
	link, _ := os.Readlink(filepath.Join(etc, "localtime"))
	_, linked, _ := strings.Cut(link, "zoneinfo/")
	text, _ := os.ReadFile(filepath.Join(etc, "timezone"))
	for _, name := range []string{linked, strings.TrimSpace(string(text))} {
		if _, err := Load(name); err == nil {
			return name
		}
	}
	return UTC
}
