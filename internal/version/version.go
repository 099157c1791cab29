// Package version tells which picday this is.
package version

import "runtime/debug"

// Set by the linker: -ldflags "-X picday/internal/version.release=1.2.3".
var release = ""

// String is the release, or the commit of a build from a checkout.
func String() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return "devel-" + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "devel"
}
