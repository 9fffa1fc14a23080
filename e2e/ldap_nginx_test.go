package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const pamModuleOfNginx = "/usr/lib/nginx/modules/ngx_http_auth_pam_module.so"

// pamWeb is an nginx that asks PAM on a machine.
type pamWeb struct {
	r   *recipe
	url string
}

func (m *machine) nginx(r *recipe) *pamWeb {
	r.t.Helper()
	// Its worker has to come by.
	house := &site{t: r.t, dir: filepath.Join(r.dir, filepath.Base(r.t.Name()), "nginx")}
	if err := os.MkdirAll(filepath.Join(house.dir, "html"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chmod(house.file("html/index.html", "open"), 0o644); err != nil {
		r.t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(r.t))
	conf := house.nginxConf("server {\nlisten " + address + ";\n" + r.block("nginx", 0) + "}\n")
	house.file("nginx.conf", "load_module "+pamModuleOfNginx+";\n"+replaced(r.t, house.read("nginx.conf"), "user root;", "user www-data;"))
	line := m.here("nginx", "-e", "stderr", "-p", house.dir, "-c", conf)
	p := launch(r.t, exec.Command(line[0], line[1:]...))
	t := r.t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("nginx says:\n%s", &p.log)
		}
	})
	eventually(r.t, "nginx listens", func() bool {
		if p.ended() {
			r.t.Fatalf("nginx ended: %v\n%s", p.err, &p.log)
		}
		return listens(address)
	})
	return &pamWeb{r, "http://" + address + "/"}
}

func (w *pamWeb) want(status int, name, typed string) {
	w.r.t.Helper()
	if got, body := basic(w.r.t, w.url, name, typed); got != status || (body == "open") != (status == http.StatusOK) {
		w.r.t.Fatalf("%s got %d, want %d\n%s", name, got, status, body)
	}
}

// nginxNSLCD is the nslcd.conf that the page has of another one.
func (r *recipe) nginxNSLCD() string {
	r.t.Helper()
	return replaced(r.t, fenced(r.t, "../ldap/nslcd.md", "nslcd", 0), "/etc/ssl/certs/campus-ca.pem", r.ca,
		"uid=svc-login,ou=services,"+ldapBase, r.account, "the password of svc-login", servicePassword)
}

func TestLDAPNginxSignsInByPAM(t *testing.T) {
	t.Parallel()
	need(t, "root", "nginx", "oathtool")
	needFile(t, pamModuleOfNginx)
	r := newRecipe(t, "nginx.md")
	devices := r.posixDevices()
	r.add("bob") // has no number
	r.each(func(at door) {
		device := devices[at.name]
		device.t = r.t
		server := r.serve()
		m := r.nslcd(at, r.nginxNSLCD(), map[string]string{"nginx-files": r.block("nginx-pam", 0)})
		web := m.nginx(r)
		typed := password + device.code()

		web.want(http.StatusUnauthorized, at.name, password)
		for range 5 { // the pictures of a page
			web.want(http.StatusOK, at.name, typed)
		}
		web.want(http.StatusUnauthorized, at.name, "not-"+typed)
		web.want(http.StatusUnauthorized, at.name, "")
		web.want(http.StatusUnauthorized, "nobody-here", typed)
		web.want(http.StatusUnauthorized, "bob", password)

		if err := server.stop(); err != nil {
			r.t.Fatal(err)
		}
		web.want(http.StatusUnauthorized, at.name, typed)
		r.serve()
		eventually(r.t, "nslcd is connected again", func() bool {
			status, _ := basic(r.t, web.url, at.name, typed)
			return status == http.StatusOK
		})
	})
}
