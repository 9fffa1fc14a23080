package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"sekisho/internal/config"
	"sekisho/internal/keyring"
	"sekisho/policy"
	"sekisho/weblogin"
)

// The portal offers what is of use, each service once.
func TestWhatThePortalOffersForPrograms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := keyring.New(time.Now()).Write(filepath.Join(filepath.Dir(file), "keys")); err != nil {
		t.Fatal(err)
	}
	err := os.WriteFile(file, []byte(`
[site]
name = "Example University"
[store]
url = "sqlite:state/sekisho.db"
keys = "keys"
[zone.campus]
prefixes = ["192.0.2.0/24"]
[[rule]]
name = "programs"
service = ["mail", "both"]
need = ["password+otp", "app-password"]
[[rule]]
name = "closed"
service = ["desk"]
zone = ["off-campus"]
deny = true
[[rule]]
name = "others"
need = ["password+otp"]
[radius]
auth = ["127.0.0.1:0"]
[[radius.client]]
name = "vpn1"
address = "203.0.113.10"
secret = "a secret that is long enough"
service = "ssl-vpn"
source = "off-campus"
[[radius.client]]
name = "vpn2"
address = "203.0.113.11"
secret = "another secret that is long enough"
service = "both"
source = "off-campus"
[ldap]
base = "dc=example,dc=ac,dc=jp"
[[ldap.listener]]
url = "ldap://127.0.0.1:0"
require_tls = false
[[ldap.app]]
name = "dovecot"
address = ["192.0.2.20"]
service = "mail"
[[ldap.app]]
name = "postfix"
address = ["192.0.2.21"]
service = "mail"
[[ldap.app]]
name = "both"
address = ["192.0.2.22"]
service = "both"
[[ldap.app]]
name = "wiki"
address = ["192.0.2.23"]
service = "wiki"
[[ldap.app]]
name = "desk"
address = ["192.0.2.24"]
service = "desk"
[[ldap.app]]
name = "printers"
address = ["192.0.2.25"]
service = "printing"
source = "campus"
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := programs(cfg), []weblogin.Program{{Name: "mail", Title: "mail"}, {Name: "both", Title: "both"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("application passwords for %v, want %v", got, want)
	}
	want := []weblogin.VPN{
		{Name: "ssl-vpn", Title: "ssl-vpn"}, {Name: "both", Title: "both"},
		{Name: "mail", Title: "mail", Door: policy.DoorLDAP}, {Name: "wiki", Title: "wiki", Door: policy.DoorLDAP},
	}
	if got := words(cfg); !reflect.DeepEqual(got, want) {
		t.Errorf("words for %v, want %v", got, want)
	}
}
