package weblogin

var english = words{
	Help: "Help", Back: "Back to my page", Problem: "There is a problem", Password: "Password", Code: "One-time code", Name: "User name",
	Plus: " + ", Colon: ": ", Time: "2 Jan 2006, 15:04",

	Inside: "You are on the campus network", Outside: "You are outside the campus network",
	GoingTo: "You are going to: ", Language: "Language",
	Next: "Next", SignIn: "Sign in", NotYou: "Not you?", SigningIn: "Signing in as",
	NameTitle: "Sign in: user name", NameMissing: "Please enter your user name.", NameHint: "The user name of your university account.",

	OfferTitle: "Sign in: you are on the VPN", OfferText: "You are connected through the VPN as %s.",
	OfferYes: "Continue as %s", OfferNo: "Someone else",

	PasswordTitle: "Sign in: password", PasswordMissing: "Please enter your password.",

	CodeTitle: "Sign in: one-time code", CodeMissing: "Please enter the code.",
	CodeHint:       "The number that your app or code device shows now.",
	CodeWhyOutside: "You are outside the campus network, so a one-time code is needed, too.",
	CodeWhyService: "A one-time code is needed here, too.",
	NoDevice:       "I have no device for codes",

	Failed:   "User name, password or code is wrong",
	LeftOne:  "You will be asked to start again after 1 more failure.",
	LeftMany: "You will be asked to start again after %d more failures.",
	HelpLink: "When sign-in fails", StartAgain: "Start again", BackToSignIn: "Back to the sign-in", Reference: "Reference", MessageCode: "Message",

	PortalTitle: "My page", Welcome: "Signed in as", Services: "Services", Devices: "My devices for one-time codes",
	NoDevicesYet: "You have no device for codes yet.", DevicesUnknown: "Your devices can't be shown at present.",
	Added: "Added", LastUsed: "Last used",
	Sessions: "Where I am signed in", SessionsHint: "If you do not know one of these, end it and change your password.",
	Since: "Since", Until: "Until", From: "From", With: "Signed in with", ThisBrowser: " (this browser)", End: "End", Browser: "Browser sign-in",
	SignOut: "Sign out", SignOutTitle: "Sign out",
	SignOutText:   "You will be signed out of this page and of the services that you opened from this browser.",
	SignOutButton: "Sign out", Everywhere: "Sign out everywhere",
	EverywhereText: "Ends every sign-in above, on all your devices.",
	SignedOutTitle: "Signed out", SignedOutText: "You are signed out of this page.",
	SignedOutEverywhere: "All your sign-ins have ended. A VPN may stay connected until you disconnect it, or until its time is over.",
	Ended:               "Ended", Left: "Still signed in",
	LeftHint:     "A VPN stays connected until you disconnect it. Programs and other browsers stay signed in; you can end them on my page.",
	CloseBrowser: "A service may have a sign-in of its own. On a computer that others use, close the browser as well.",

	VPN: "VPN", WordHint: "A VPN word lets you connect to the VPN without typing your password and a code again.",
	WordLink: "VPN word for %s", WordTitle: "VPN word",
	WordAbout: "You type the word in the VPN program, in place of your password. It works once, for a few minutes.",
	WordMake:  "Show me a word",
	WordUse:   "Type this word in place of your password in the VPN program:",
	WordUntil: "It works once, until",
	WordNever: "Never tell the word to anybody. The help desk will not ask for it.",
	WordOnce:  "The word is shown only now. If this page is loaded again, a new word is made and this one no longer works.",

	HelpTitle: "When sign-in fails",
	HelpIntro: "Please go through these in order.",
	HelpSteps: []string{
		"Is the user name right? It is not your mail address, unless your card says so.",
		"Is the password right? Look at Caps Lock and at the language of the keyboard. After a change, use the new one.",
		"Type the code that is shown now. A code works only once: if you used it already, wait for the next one.",
		"Check that your device's clock is right: set its date and time to automatic.",
		"After several failures, wait a few minutes and try again. The delay ends by itself.",
		"If it still fails, tell the help desk the reference below the error message. Never tell anybody your password or a code.",
	},
	HelpDesk: "Help desk",

	NoDeviceTitle: "If you have no device for codes",
	NoDeviceSteps: []string{
		"The codes come from an app on your phone, or from a small code device.",
		"Set it up from the campus network, or ask the help desk.",
		"If the device is lost or was replaced, ask the help desk at once, so that nobody else can use it.",
		"From the campus network, many services open without a code.",
	},

	Factors: map[string]saying{
		"password": {Title: "password"}, "otp": {Title: "code"}, "certificate": {Title: "certificate"},
		"passkey": {Title: "passkey"}, "recovery": {Title: "recovery code"},
	},
	Doors:       map[string]saying{"web": {}, "radius": {Title: " (VPN)"}, "ldap": {Title: " (program)"}},
	OutsideZone: "outside", InsideZone: "inside (%s)",

	Messages: map[string]saying{
		"page-expired":    {"This page has expired", "This page belonged to a sign-in that has ended, or to another browser. Please start again."},
		"our-side":        {"There is a problem on our side", "This is not your fault: your password was not judged. Please try again in a few minutes."},
		"cookies-needed":  {"Cookies are needed", "Your browser did not send our cookie. Please allow cookies for this site and start again."},
		"not-found":       {"There is no such page", "The address may be mistyped or out of date."},
		"too-large":       {"Too much was sent", "What was sent is longer than any form here. Please start again."},
		"bad-request":     {"This could not be read", "Your browser sent something that can't be read. Please start again."},
		"cross-origin":    {"Sent from another site", "This form was not sent from our own page, so nothing was done. Please start again."},
		"sign-in-failed":  {"Sign-in failed", "Please start again."},
		"not-allowed":     {"You can't use this", "You are signed in, but this service is not open to you from here. If you think that it should be, please ask the help desk."},
		"handshake":       {"This link is of no use any more", "It has expired, was used, or belongs to another browser. Please open the service again."},
		"not-let-in":      {"You can't use this service", "You are signed in, but the service can't be opened from here. Please open it again, or ask the help desk."},
		"no-word":         {"No VPN word can be made now", "Only a sign-in with your one-time code gives a VPN word. This one was made without a code, or through the VPN. Outside the campus network, sign out here, sign in again with your code, and come back to this page."},
		"signed-out-here": {"Signed out of this service", "You are signed out of this service only. The others stay open until you sign out of them, too."},
	},
}
