package config

import (
	"cmp"
	"os"
	"reflect"
)

// File is the file that Load reads for that name.
func File(name string) string { return cmp.Or(name, os.Getenv("PICDAY_CONFIG"), DefaultPath) }

// IsDefault tells whether a configuration changes nothing.
func (c Config) IsDefault() bool { return reflect.DeepEqual(c, Default()) }
