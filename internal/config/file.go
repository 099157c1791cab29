package config

import (
	"cmp"
	"os"
	"reflect"
)

// File is the path of the file that Load reads for a name.
func File(name string) string { return cmp.Or(name, os.Getenv("PICDAY_CONFIG"), DefaultPath) }

// IsDefault tells whether all keys have their defaults.
func (c Config) IsDefault() bool { return reflect.DeepEqual(c, Default()) }
