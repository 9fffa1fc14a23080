package e2e

import (
	"strings"
	"testing"
)

// sssd starts a machine by sssd.md, that asks there.
func (r *recipe) sssd(name, uri string) *machine {
	r.t.Helper()
	need(r.t, "sssd")
	needFile(r.t, "/lib/*/security/pam_sss.so")
	needFile(r.t, "/lib/*/libnss_sss.so.2")
	if strings.HasPrefix(uri, "ldap:") {
		uri += "\nldap_id_use_start_tls = true"
	}
	conf := r.file(name+".sssd.conf", r.block("sssd", 0, "ldaps://sekisho.example.ac.jp", uri))
	files := map[string]string{
		"/etc/sssd/":         "",
		"/etc/sssd/conf.d/":  "",
		"/etc/nsswitch.conf": "passwd: files sss\ngroup: files sss\n",
		"/etc/pam.d/login":   r.block("sssd-pam", 0, "pam_unix.so", "pam_unix.so nodelay"),
		"/run/":              "",
		"/var/log/sssd/":     "",
	}
	for _, folder := range []string{"", "db/", "mc/", "pipes/", "pipes/private/", "pubconf/", "pubconf/krb5.include.d/"} {
		files["/var/lib/sss/"+folder] = ""
	}
	m := r.machine(name, files, "sssd", "--interactive", "--logger=stderr", "--config", conf)
	m.appears("/var/lib/sss/pipes/pam")
	return m
}

func TestLDAPWorkstationsBySSSD(t *testing.T) {
	t.Parallel()
	need(t, "root", "oathtool")
	r := newRecipe(t, "sssd.md")
	devices := r.posixDevices()
	r.add("nobody-there") // has no number
	r.each(func(at door) {
		device, number := devices[at.name], numbers[at.name]
		device.t = r.t
		server := r.serve()
		home, campus := r.sssd(at.name, at.outside), r.sssd(at.name+"-inside", at.inside)
		eventually(r.t, "SSSD knows people", func() bool { return home.run("", "getent", "passwd", at.name).code == 0 })
		home.prints(at.name+":*:"+number+":100:"+at.name+" Example:/home/"+at.name+":", "getent", "passwd", at.name)
		home.prints("users staff", "id", "-Gn", at.name)
		typed := password + device.code()

		campus.want(letIn, at.name, password)
		home.want(refused, at.name, password)
		home.want(letIn, at.name, typed)
		home.want(letIn, at.name, typed) // sudo
		home.want(refused, at.name, "not-"+typed)
		if a := campus.signIn("nobody-there", password); a.code == 0 {
			r.t.Errorf("let in without a number: %s%s", a.out, a.err)
		}

		if err := server.stop(); err != nil {
			r.t.Fatal(err)
		}
		home.want(refused, at.name, typed) // SSSD remembers nothing
	})
}
