package config

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Site is who runs this and where its people find help.
type Site struct {
	Name      string
	URL       string   // "" none
	Help      string   // an address or a sentence, told to people; "" none
	Languages []string // of "ja" and "en", the preferred one first
}

func readSite(t *table) Site {
	s := Site{
		Name: t.text("name", "Sekisho"),
		URL:  t.text("url", ""),
		Help: t.text("help", ""),
	}
	if strings.TrimSpace(s.Name) == "" {
		t.fault("name", "is empty; write the name that people know, or take it out")
	}
	if s.URL != "" {
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			t.fault("url", `%q is not a web address; write it like "https://www.example.ac.jp"`, s.URL)
		}
	}
	for _, e := range t.texts("languages") {
		switch {
		case e.text != "ja" && e.text != "en":
			t.r.fault(e.key, "%q is not spoken here; choose from ja, en", e.text)
		case slices.Contains(s.Languages, e.text):
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		default:
			s.Languages = append(s.Languages, e.text)
		}
	}
	if len(s.Languages) == 0 {
		if t.has("languages") && !t.r.faults.blames(t.name("languages")) {
			t.fault("languages", "is empty; choose from ja, en")
		}
		s.Languages = []string{"ja", "en"}
	}
	t.close()
	return s
}

// Store is where state is kept.
type Store struct {
	File    string // SQLite database; an absolute path
	Keys    string // key file, an absolute path; "exec:COMMAND" as written; "" the service manager hands it over
	Reserve int64  // octets kept free on the disk; below it refusals are not booked one by one
}

func readStore(t *table) Store {
	s := Store{Reserve: t.size("reserve", 64<<20)}
	address := t.text("url", "")
	file, sqlite := strings.CutPrefix(address, "sqlite:")
	switch {
	case strings.HasPrefix(address, "postgres:"), strings.HasPrefix(address, "postgresql:"):
		t.fault("url", "PostgreSQL is not built into this release; write sqlite:FILE")
	case address == "" && !t.r.faults.blames(t.name("url")):
		t.fault("url", `is missing; name the database file: url = "sqlite:/var/lib/sekisho/sekisho.db"`)
	case address != "" && (!sqlite || file == "" || strings.HasPrefix(file, "//") || strings.Contains(file, "?")):
		t.fault("url", `%q names no database file; write it like "sqlite:/var/lib/sekisho/sekisho.db"`, address)
	case sqlite:
		s.File = t.r.path(file)
	}
	keys := t.text("keys", "")
	switch {
	case strings.HasPrefix(keys, "exec:"):
		s.Keys = keys
	case keys != "":
		s.Keys = t.r.path(keys)
		if !handedOver() {
			t.checkKeys(s)
		}
	case !handedOver() && !t.r.faults.blames(t.name("keys")):
		t.fault("keys", `is missing; name the key file, outside the folder of the database: keys = "/etc/sekisho/keys"`)
	}
	t.close()
	return s
}

// handedOver says whether the service manager brings the keys, which then go
// before the file.
func handedOver() bool {
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	if folder == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(folder, "sekisho-keys"))
	return err == nil
}

// checkKeys keeps key and data apart: whoever finds a backup of the data
// folder must not find the key in it.
func (t *table) checkKeys(s Store) {
	if s.File != "" {
		folder, err := filepath.Rel(real(filepath.Dir(s.File)), real(s.Keys))
		if err == nil && folder != ".." && !strings.HasPrefix(folder, "../") {
			t.fault("keys", "%s is in the folder of the database, a backup would hold both; keep it elsewhere, such as /etc/sekisho/keys", s.Keys)
			return
		}
	}
	info, err := os.Stat(s.Keys)
	if t.r.draft && os.IsNotExist(err) {
		return
	}
	t.private("keys", s.Keys, info, err, "make it with: sekisho keys init")
}

// private wants a file that is there and that nobody else can read.
func (t *table) private(key, path string, info fs.FileInfo, err error, missing string) bool {
	switch {
	case os.IsNotExist(err):
		t.fault(key, "%s is not there; %s", path, missing)
	case err != nil:
		t.fault(key, "can't be looked at: %v; let the user that runs sekisho read it", err)
	case !info.Mode().IsRegular():
		t.fault(key, "%s is not a file; name a file", path)
	case info.Mode().Perm()&0o077 != 0:
		t.fault(key, "%s can be read by others (mode %04o); run: chmod 0400 %s", path, info.Mode().Perm(), path)
	default:
		return true
	}
	return false
}

// path counts a relative path from the folder of the configuration.
func (r *reader) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(r.folder, name)
}

// real follows symbolic links as far as the path exists.
func real(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if folder := filepath.Dir(path); folder != path {
		return filepath.Join(real(folder), filepath.Base(path))
	}
	return path
}
