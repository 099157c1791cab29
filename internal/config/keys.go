package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Table is a part of picday.toml: the keys before the first table (its name
// is empty), [upload], [[images.rendition]].
type Table struct {
	Name string
	Doc  string
	Keys []Key
	// Rows are the values of a table that may be there several times, by default or, if
	// Example, only to show how they are written.
	Rows    [][]string
	Example bool
}

// A Key is one key of picday.toml with its documentation.
type Key struct {
	Name    string
	Type    string
	Default string // as it is written in the file; empty where the table has rows
	Doc     string
}

// Tables documents all of picday.toml in the order of the file. It is read from the types
// and from Default, so that no key can be forgotten or documented with a wrong default.
func Tables() []Table {
	return tables("", "", reflect.ValueOf(Default()))
}

func tables(name, doc string, v reflect.Value) []Table {
	table := Table{Name: name, Doc: doc}
	var below []Table
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key, doc := field.Tag.Get("toml"), field.Tag.Get("doc")
		full := strings.TrimPrefix(name+"."+key, ".")
		switch {
		case field.Type.Kind() == reflect.Struct:
			below = append(below, tables(full, doc, value)...)
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			below = append(below, rows(full, doc, value))
		default:
			table.Keys = append(table.Keys, Key{key, kind(value), literal(value), doc})
		}
	}
	return append([]Table{table}, below...)
}

// examples are for lists that are empty by default.
var examples = map[string]any{"webhook": []Webhook{ExampleWebhook}}

// rows is a list of tables.
func rows(name, doc string, list reflect.Value) Table {
	table := tables(name, doc, reflect.New(list.Type().Elem()).Elem())[0]
	for i := range table.Keys {
		table.Keys[i].Default = ""
	}
	if table.Example = list.Len() == 0; table.Example {
		list = reflect.ValueOf(examples[name])
	}
	for i := range list.Len() {
		var row []string
		for j := range list.Index(i).NumField() {
			row = append(row, literal(list.Index(i).Field(j)))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func kind(v reflect.Value) string {
	switch v.Interface().(type) {
	case Duration:
		return "duration"
	case string:
		return "string"
	case int:
		return "integer"
	case bool:
		return "true or false"
	case []string:
		return "list of strings"
	}
	panic("no word for " + v.Type().String()) // Config has a new kind of value
}

// literal writes a value as TOML, as a person would.
func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return strconv.Quote(short(x.Std()))
	case string:
		return strconv.Quote(x)
	case []string:
		quoted := []string{}
		for _, s := range x {
			quoted = append(quoted, strconv.Quote(s))
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// short is "720h" and not "720h0m0s".
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Intro introduces the keys, one paragraph each.
var Intro = []string{
	"An empty file is valid: every key has a default. A key that is wrong or unknown is named with its line by: picdayd --check",
	"After a change: systemctl restart picdayd; and after one under [sshd] or of upload_dir also: picday init",
	"The unit lets picdayd write in the default directories only. For another upload_dir or data_dir run systemctl edit picdayd and add, under [Service], ReadWritePaths= with the new directories.",
}

// Sample is the configuration file of a new installation: every key with what
// it means, commented out, so that it changes nothing.
func Sample() []byte {
	var b strings.Builder
	comment(&b, "picday's configuration; see picday.toml(5). Every key there is stands below, commented out, with the value that holds without it.")
	for _, text := range Intro {
		b.WriteString("#\n")
		comment(&b, text)
	}
	b.WriteString("\n")
	for i, t := range Tables() {
		if i > 0 {
			b.WriteString("\n")
			comment(&b, t.Doc)
		}
		if t.Rows != nil {
			for _, k := range t.Keys {
				comment(&b, k.Name+": "+k.Doc)
			}
			for _, row := range t.Rows {
				fmt.Fprintf(&b, "#[[%s]]\n", t.Name)
				for i, k := range t.Keys {
					fmt.Fprintf(&b, "#%s = %s\n", k.Name, row[i])
				}
			}
			continue
		}
		if t.Name != "" {
			fmt.Fprintf(&b, "[%s]\n", t.Name)
		}
		for i, k := range t.Keys {
			if i > 0 || t.Name != "" {
				b.WriteString("\n")
			}
			comment(&b, k.Doc)
			fmt.Fprintf(&b, "#%s = %s\n", k.Name, k.Default)
		}
	}
	return []byte(b.String())
}

// comment writes a paragraph of at most 78 columns.
func comment(b *strings.Builder, text string) {
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 78 {
			fmt.Fprintln(b, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(b, line)
}
