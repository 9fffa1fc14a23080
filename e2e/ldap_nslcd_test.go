package e2e

import (
	"strings"
	"testing"
)

// nslcd starts a machine by a page's nslcd.conf, with these PAM services.
func (r *recipe) nslcd(at door, conf string, services map[string]string) *machine {
	r.t.Helper()
	need(r.t, "nslcd")
	needFile(r.t, "/lib/*/security/pam_ldap.so")
	needFile(r.t, "/lib/*/libnss_ldap.so.2")
	uri := "uri " + at.outside
	if at.name == "starttls" {
		uri += "\nssl start_tls"
	}
	// For how long it tries while nobody is there.
	conf += "reconnect_sleeptime 1\nreconnect_retrytime 1\n"
	files := map[string]string{
		"/run/nslcd/":        "",
		"/etc/nslcd.conf":    replaced(r.t, conf, "uri ldaps://sekisho.example.ac.jp", uri),
		"/etc/nsswitch.conf": fenced(r.t, "../ldap/nslcd.md", "nsswitch", 0),
	}
	for service, text := range services {
		files["/etc/pam.d/"+service] = text
	}
	m := r.machine(at.name, files, "nslcd", "--debug")
	m.appears("/run/nslcd/socket")
	return m
}

func TestLDAPLoginServerByNSLCD(t *testing.T) {
	t.Parallel()
	need(t, "root", "oathtool")
	r := newRecipe(t, "nslcd.md")
	devices := r.posixDevices()
	r.add("nobody-there") // has no number
	r.each(func(at door) {
		device, number := devices[at.name], numbers[at.name]
		device.t = r.t
		server := r.serve()
		m := r.nslcd(at, r.block("nslcd", 0), map[string]string{"login": r.block("pam", 0, "pam_unix.so", "pam_unix.so nodelay")})
		m.prints(at.name+":*:"+number+":100:"+at.name+" Example:/home/"+at.name+":", "getent", "passwd", at.name)
		m.prints("users staff", "id", "-Gn", at.name)
		typed := password + device.code()

		m.want(refused, at.name, password)
		m.want(letIn, at.name, typed)
		m.want(letIn, at.name, typed) // sudo
		m.want(refused, at.name, "not-"+typed)
		m.want(refused, at.name, "")
		if a := m.signIn("nobody-there", password); a.code == 0 {
			r.t.Errorf("let in without a number: %s%s", a.out, a.err)
		}

		if err := server.stop(); err != nil {
			r.t.Fatal(err)
		}
		m.want(refused, at.name, typed)
		if !strings.Contains(m.log.String(), "Can't contact LDAP server") {
			r.t.Error("the log does not tell why")
		}
		r.serve()
		eventually(r.t, "nslcd is connected again", func() bool { return m.signIn(at.name, typed).code == 0 })
	})
}
