"""A web application that tells the directory where the person is who signs in
through it, by python-ldap. Prints the result and the message of the bind.

tracked.py URL CA DN PASSWORD [ADDRESS]"""
import sys

import ldap
from ldap.controls.sessiontrack import SESSION_TRACKING_FORMAT_OID_USERNAME, SessionTrackingControl

url, ca, dn, password, *address = sys.argv[1:]
c = ldap.initialize(url)
c.set_option(ldap.OPT_X_TLS_CACERTFILE, ca)
c.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
c.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
if url.startswith("ldap:"):
    c.start_tls_s()
controls = [SessionTrackingControl(a, "", SESSION_TRACKING_FORMAT_OID_USERNAME, "") for a in address]
try:
    c.simple_bind_s(dn, password, serverctrls=controls)
    print(0)
except ldap.LDAPError as e:
    print(e.args[0]["result"], e.args[0].get("info", ""))
