package weblogin

import (
	"fmt"

	"sekisho/policy"
)

// words are the sentences of the pages in one language.
type words struct {
	Help, Back, Problem, Password, Code, Name, Plus, Colon string
	Time                                                   string // how a time is written

	Inside, Outside, GoingTo         string // where one is; where to
	Language                         string // what the links to the others are called
	Next, SignIn, NotYou, SigningIn  string
	NameTitle, NameMissing, NameHint string

	OfferTitle, OfferText, OfferYes, OfferNo string

	PasswordTitle, PasswordMissing string

	CodeTitle, CodeMissing, CodeHint, CodeWhyOutside, CodeWhyService, NoDevice string

	Failed, LeftOne, LeftMany, HelpLink, StartAgain, BackToSignIn, Reference, MessageCode string

	PortalTitle, Welcome, Services, Devices, NoDevicesYet, DevicesUnknown, Added, LastUsed  string
	Sessions, SessionsHint, Since, Until, From, With, ThisBrowser, End, Browser             string
	SignOut, SignOutTitle, SignOutText, SignOutButton, Everywhere, EverywhereText           string
	SignedOutTitle, SignedOutText, SignedOutEverywhere, Ended, Left, LeftHint, CloseBrowser string

	VPN, WordHint, WordLink, WordTitle, WordAbout, WordMake string
	WordUse, WordUntil, WordNever, WordOnce                 string

	Program, ProgramHint, ProgramLink, ProgramTitle, ProgramAbout, ProgramUse string

	Apps, AppsHint, AppLink, AppAbout, AppLabel, AppLabelHint, AppLabelMissing, AppMake string
	AppUse, AppNever, AppOnce, AppIdle, AppEnds                                         string

	HelpTitle, HelpIntro     string
	HelpSteps                []string
	HelpDesk                 string
	NoDeviceTitle            string
	NoDeviceSteps            []string
	Factors, Doors, Messages map[string]saying // a Text of Messages may stand for the reason's own
	OutsideZone, InsideZone  string
}

// saying is a name and, for a message, what to do.
type saying struct{ Title, Text string }

var texts = map[string]*words{"ja": &japanese, "en": &english}

// left says how many tries are left.
func (w *words) left(n int) string {
	if n == 1 {
		return w.LeftOne
	}
	return fmt.Sprintf(w.LeftMany, n)
}

func (w *words) factor(f policy.Factor) string { return w.Factors[string(f)].Title }

// door is the door as a remark behind a service's name; the web needs none.
func (w *words) door(door string) string { return w.Doors[door].Title }

func (w *words) zone(zone string) string {
	if zone == policy.OffCampus {
		return w.OutsideZone
	}
	return fmt.Sprintf(w.InsideZone, zone)
}
