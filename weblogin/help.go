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
	page.Message.Again = v.again()
	page.Message.Code = "failed"
	v.render(http.StatusOK, "help", page)
}

// helpNoDevice says where a code device can be had: the same to everybody.
func (v *visit) helpNoDevice() {
	page := v.view(v.words.NoDeviceTitle)
	page.Message.Again = v.again()
	page.Message.Code = "no-device"
	v.render(http.StatusOK, "help", page)
}
