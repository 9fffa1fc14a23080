package dictionary

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestBrokenLines(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"ATTRIBUTE", "ATTRIBUTE can't be read here"},
		{"ATTRIBUTE A 1", "ATTRIBUTE can't be read here"},
		{"ATTRIBUTE A 1 string has_tag more", "ATTRIBUTE can't be read here"},
		{"ATTRIBUTE A one string", `"one" is not the number of an attribute`},
		{"ATTRIBUTE A -1 string", `"-1" is not the number of an attribute`},
		{"ATTRIBUTE A 1.x string", `"1.x" is not the number of an attribute`},
		{"ATTRIBUTE A 4294967296 string", `"4294967296" is not the number`},
		{"ATTRIBUTE A 1 octets[x]", `"octets[x]" is no type`},
		{"ATTRIBUTE A 1 octets[4", `"octets[4" is no type`},
		{"ATTRIBUTE A 1 octets[0]", `"octets[0]" is no type`},
		{"ATTRIBUTE Class 11 string", "Class is attribute 25 by its RFC"},
		{"ATTRIBUTE session-timeout 28 integer", "Session-Timeout is attribute 27 by its RFC"},
		{"ATTRIBUTE State 24.1 string", "State is attribute 24 by its RFC"},
		{"VENDOR A 9\nBEGIN-VENDOR A\nATTRIBUTE Class 25 string", "Class is attribute 25 by its RFC"},
		{"VALUE A B", "VALUE can't be read here"},
		{"VALUE A B C", `"C" is not a number`},
		{"VALUE A B 0x", `"0x" is not a number`},
		{"VENDOR A", "VENDOR can't be read here"},
		{"VENDOR A 16777216", `"16777216" is not the number of a vendor`},
		{"VENDOR A 1 2,1", `"2,1" is no format`},
		{"BEGIN-VENDOR Nobody", `"Nobody" is no VENDOR yet`},
		{"VENDOR A 1\nBEGIN-VENDOR A\nBEGIN-VENDOR A", "BEGIN-VENDOR can't be read here"},
		{"VENDOR A 1\nBEGIN-VENDOR A\nEND-VENDOR B", "END-VENDOR can't be read here"},
		{"VENDOR A 1\nBEGIN-VENDOR A", "ends within a block"},
		{"VENDOR A 1\nBEGIN-VENDOR A\n$INCLUDE other", "$INCLUDE can't be read here"},
		{"END-VENDOR Cisco", "END-VENDOR can't be read here"},
		{"BEGIN-TLV A", "ends within a block"},
		{"END-TLV A", "END-TLV can't be read here"},
		{"attribut A 1 string", "is no line of a dictionary"},
		{"\x7fELF\x00", "is no line of a dictionary"},
		{"$INCLUDE none", "none can't be opened"},
		{"$INCLUDE /etc/passwd", "can't be opened"},
		{"$INCLUDE ../outside", "can't be opened"},
		{"$INCLUDE link", "link can't be opened"},
		{"$INCLUDE large", "large is larger than 1048576 octets"},
		{"$INCLUDE .", "can't be read"},
	} {
		dir := t.TempDir()
		folder := filepath.Join(dir, "folder")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{
			filepath.Join(dir, "outside"):       "ATTRIBUTE Outside 1 string\n",
			filepath.Join(folder, "dictionary"): "# first\n" + test.line + "\n",
			filepath.Join(folder, "large"):      strings.Repeat("\n", maxFile+1),
		} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("../outside", filepath.Join(folder, "link")); err != nil {
			t.Fatal(err)
		}
		d := New()
		faults := d.Add(folder)
		line := 1 + strings.Count(test.line+"\n", "\n")
		if len(faults) != 1 || !strings.Contains(faults[0].Error(), test.want) || !strings.Contains(faults[0].Error(), "; ") {
			t.Errorf("%q: %v, want %s", test.line, faults, test.want)
			continue
		}
		if fault := faults[0].(*Fault); fault.File != "dictionary" || fault.Line != line {
			t.Errorf("%q: at %s:%d, want dictionary:%d", test.line, fault.File, fault.Line, line)
		}
		if _, ok := d.attributes["outside"]; ok {
			t.Errorf("%q: a file outside of the folder was read", test.line)
		}
	}
}

// A fault in a file that another one includes is told where it stands.
func TestBrokenLineInAnIncludedFile(t *testing.T) {
	_, faults := with(t, "dictionary", "$INCLUDE more/acme\n", "more/acme", "$INCLUDE deeper\n", "more/deeper", "\n\nnonsense\n")
	if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "more/deeper:3: is no line of a dictionary") {
		t.Error(faults)
	}
}

// A file of secrets that lies in the folder is not repeated.
func TestFaultsRepeatNoForeignFile(t *testing.T) {
	_, faults := with(t, "vpn1.secret", "correct-horse-battery\n")
	if len(faults) != 1 || strings.Contains(faults[0].Error(), "horse") {
		t.Error(faults)
	}
}

func TestOneFaultAFile(t *testing.T) {
	d, faults := with(t, "a", "x\ny\n", "b", "ATTRIBUTE B-Name 1 string\n", "c", "ATTRIBUTE C-Name 200 string\nz\n")
	var told []string
	for _, f := range faults {
		told = append(told, strings.SplitAfter(f.Error(), " ")[0])
	}
	if !slices.Equal(told, []string{"a:1: ", "c:2: "}) {
		t.Error(faults)
	}
	if !slices.Contains(d.Names(), "B-Name") {
		t.Error("the sound file was not read")
	}
}

// With a file called dictionary that one says what is read, each once.
func TestMainFile(t *testing.T) {
	d := mustAdd(t, "dictionary", "$INCLUDE a\n$INCLUDE ./a\n$INCLUDE dictionary\n", "a", "ATTRIBUTE A-Name 200 string\n$INCLUDE dictionary", "b", "nonsense\n")
	if _, err := d.Find("A-Name"); err != nil {
		t.Error(err)
	}
}

// What an editor leaves, folders and pipes are no dictionaries.
func TestFilesThatAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if faults := New().Add(dir); len(faults) > 0 {
		t.Error(faults)
	}
	mustAdd(t, ".hidden", "nonsense\n", "acme~", "nonsense\n", "folder/acme", "nonsense\n", "acme", "\r\nATTRIBUTE A-Name 200 string\r\n")
}

func TestIncludesAreBounded(t *testing.T) {
	files := []string{"dictionary", "$INCLUDE a0\n"}
	for i := range 20 {
		name := string(rune('0' + i))
		files = append(files, "a"+name, "$INCLUDE a"+string(rune('0'+i+1))+"\n")
	}
	_, faults := with(t, files...)
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "too many files include each other") {
		t.Error(faults)
	}
}

func TestNoFolder(t *testing.T) {
	if faults := New().Add(filepath.Join(t.TempDir(), "none")); len(faults) != 1 {
		t.Error(faults)
	}
}

// A vendor's own file knows its attributes better than we do; an RFC's stay.
func TestFilesReplaceVendorsNotRFCs(t *testing.T) {
	d := mustAdd(t, "acme", "VENDOR Fortinet 12356\nBEGIN-VENDOR Fortinet\nATTRIBUTE Fortinet-Group-Name 99 integer\nEND-VENDOR Fortinet\n"+
		"ATTRIBUTE Filter-Id 11 integer\nVALUE Filter-Id staff 1\n")
	if a, err := d.Find("Fortinet-Group-Name"); err != nil || a.Number != "26.12356.99" {
		t.Error(a.Number, err)
	}
	a, err := d.Find("Filter-Id")
	if err != nil {
		t.Fatal(err)
	}
	if octets, err := a.Octets("staff"); err != nil || string(octets[2:]) != "staff" {
		t.Errorf("% x %v", octets, err)
	}
}
