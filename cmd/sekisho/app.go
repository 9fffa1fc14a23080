package main

import (
	"sekisho/internal/config"
	"sekisho/ldapproxy"
)

// app is the application of the configuration as its door has it.
func app(c config.App) ldapproxy.App {
	app := ldapproxy.App{
		Name: c.Name, Prefixes: c.Prefixes, Listeners: c.Listeners, Certificates: c.Certificates, BindDNs: c.BindDNs,
		Service: c.Service, Zone: c.Zone, Separator: c.Separator, PlainBinds: c.PlainBinds, Anonymous: c.Anonymous,
		SizeLimit: c.SizeLimit, TimeLimit: c.TimeLimit, RejectDelay: c.RejectDelay, Repeat: c.Repeat, Tracking: c.Tracking,
		Writes: c.Writes, Observe: c.Observe, Referrals: c.Referrals,
	}
	for _, a := range c.Accounts {
		app.Accounts = append(app.Accounts, ldapproxy.Account{DN: a.DN, Password: a.Password})
	}
	return app
}
