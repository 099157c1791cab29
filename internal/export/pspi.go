package export

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"picday/internal/names"
)

// perFolder is how many pictures a folder of a volume has.
const perFolder = 1000

const pspiHeader = "Volume Name\tImage Folder\tImage File Name\tGrade\tLast Name\tFirst Name\tHome Room\tPeriod\tTeacher Name\tTrack\tDepartment\tTitle\tImage Size\r\n"

// writePSPI writes a volume as the yearbook programs of PSPI and SPOA read it: each picture
// in both sizes, INDEX.TXT with a row for each, and MASTER.TXT with the same, because there
// is no earlier volume that this one adds to.
func writePSPI(ctx context.Context, x *run) error {
	volume := volumeName(x.Title)
	var index strings.Builder
	index.WriteString(pspiHeader)
	n := 0
	err := x.each(ctx, func(i int, pictures [][]byte) error {
		p := x.people[i]
		for j, size := range []string{"LARGE", "SMALL"} {
			folder := fmt.Sprintf("FOLDER%d", n/perFolder+1)
			file := fmt.Sprintf("%c%07d.JPG", size[0], i+1)
			n++
			if err := x.put(volume+"/"+folder+"/"+file, pictures[j]); err != nil {
				return err
			}
			row := []string{volume, folder, file, p.Grade, p.Last, p.First, p.Class, "", p.Teacher, "", "", "", size}
			for k, cell := range row {
				row[k] = ansi(cell)
			}
			index.WriteString(strings.Join(row, "\t") + "\r\n")
		}
		return nil
	})
	if err != nil {
		return err
	}
	readme := fmt.Sprintf("Volume %s\r\n%d people, each as LARGE (640 x 800) and SMALL (320 x 400), RGB.\r\nINDEX.TXT has a row for each picture, MASTER.TXT the same.\r\n", volume, len(x.people))
	return errors.Join(
		x.put(volume+"/INDEX.TXT", []byte(index.String())), x.put(volume+"/MASTER.TXT", []byte(index.String())),
		x.put(volume+"/READ-ME.TXT", []byte(readme)),
		x.put(volume+"/COPYRIGHT.TXT", []byte("The rights in these pictures are the photographer's. They are for the yearbook alone.\r\n")))
}

func (x *run) put(name string, data []byte) error {
	f, err := x.Out.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// volumeName is a title as the name of a volume: short, capitals and digits.
func volumeName(title string) string {
	name := strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, names.Fold(title)))
	if name == "" {
		name = "VOLUME"
	}
	return name[:min(len(name), 20)]
}

// ansi is a text in Windows-1252, which these programs read. What that does not have loses
// its accents, or becomes a question mark.
func ansi(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t' || r == '\r' || r == '\n':
			b.WriteByte(' ')
		case r < 0x80 || r >= 0xa0 && r <= 0xff:
			b.WriteByte(byte(r))
		default:
			b.WriteString(plainLetter(r))
		}
	}
	return b.String()
}

func plainLetter(r rune) string {
	plain := names.Fold(string(r))
	if plain == "" || strings.ContainsFunc(plain, func(c rune) bool { return c >= 0x80 }) {
		return "?"
	}
	if strings.ToLower(string(r)) != string(r) {
		return strings.ToUpper(plain[:1]) + plain[1:]
	}
	return plain
}
