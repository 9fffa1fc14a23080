// Package e2e runs the real binary against real programs that nobody here
// wrote: radclient and radeapclient ask, oathtool makes the codes, tshark
// judges the packets, libpam-radius-auth signs a person in by pamtester,
// Chromium walks through the pages.
//
// One test, told: it writes a configuration and a key ring into a folder of
// its own, adds its people with the program's own commands, starts
// "sekisho serve" on free loopback ports, waits for READY=1, and asks. What
// it asserts is what a NAS, a person or the help desk would see: a reply, a
// file, a line of the book. Then it sends SIGTERM and wants a clean end.
//
// A program that is not installed, or root where root is needed, skips the
// test; with SEKISHO_E2E=required in the environment it fails instead.
package e2e
