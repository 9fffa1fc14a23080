package weblogin

import (
	"net/http"
	"regexp"
)

var reference = regexp.MustCompile(`^[0-9A-Z]{4}-[0-9A-Z]{4}$`)

// helpFailed is what to try when a sign-in fails, with the person's own
// reference for the help desk.
func (v *visit) helpFailed() {
	page := v.view(v.words.HelpTitle)
	if ref := v.r.FormValue("ref"); reference.MatchString(ref) {
		page.Message.Reference = ref
	}
	v.help(page, "failed")
}

// helpNoDevice says where a code device can be had: the same to everybody.
func (v *visit) helpNoDevice() {
	v.help(v.view(v.words.NoDeviceTitle), "no-device")
}

// help leads back to the sign-in that it was opened from, while that goes on.
func (v *visit) help(page view, code string) {
	page.Message.Code, page.Message.Again = code, v.again()
	if f, ok := v.open(); ok {
		page.Flow, page.Message.Again = f.id, f.step("/login/code")
	}
	v.render(http.StatusOK, "help", page)
}
