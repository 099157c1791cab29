package config

import (
	"fmt"
	"reflect"
	"strings"
)

// A Difference is a key with two different values, as they are written in the file.
type Difference struct{ Key, Here, There string }

// Differences lists them in the order of the file.
func Differences(here, there Config) []Difference {
	return differences("", reflect.ValueOf(here), reflect.ValueOf(there))
}

func differences(name string, here, there reflect.Value) (all []Difference) {
	for i := range here.NumField() {
		field, a, b := here.Type().Field(i), here.Field(i), there.Field(i)
		full := strings.TrimPrefix(name+"."+field.Tag.Get("toml"), ".")
		switch {
		case field.Type.Kind() == reflect.Struct:
			all = append(all, differences(full, a, b)...)
		case reflect.DeepEqual(a.Interface(), b.Interface()):
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			all = append(all, Difference{full, fmt.Sprintf("%+v", a.Interface()), fmt.Sprintf("%+v", b.Interface())})
		default:
			all = append(all, Difference{full, literal(a), literal(b)})
		}
	}
	return all
}
