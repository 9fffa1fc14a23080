"""The same as two_binds_ldap3.py by python-ldap, which is libldap."""
import sys

import ldap
import ldap.schema
from ldap.controls import SimplePagedResultsControl
from ldap.filter import escape_filter_chars

url, ca, base, service, service_password, name, password = sys.argv[1:]
c = ldap.initialize(url)
c.set_option(ldap.OPT_X_TLS_CACERTFILE, ca)
c.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
c.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
if url.startswith("ldap:"):
    c.start_tls_s()


def bind(dn, word):
    try:
        c.simple_bind_s(dn, word)
        print("bind", 0, "")
    except ldap.LDAPError as e:
        print("bind", e.args[0]["result"], e.args[0]["info"])


def search():
    try:
        entries = c.search_s(base, ldap.SCOPE_SUBTREE, "(uid=%s)" % escape_filter_chars(name), ["mail", "memberOf"])
    except ldap.LDAPError as e:
        print("search", e.args[0]["result"], [])
        return
    print("search", 0, [dn for dn, _ in entries])
    return entries


bind(service, service_password)
dn = search()[0][0]
schema = ldap.schema.SubSchema(c.read_subschemasubentry_s(c.search_subschemasubentry_s(base)))
print("schema", *(schema.get_obj(kind, of) is not None for kind, of in (
    (ldap.schema.ObjectClass, "inetOrgPerson"), (ldap.schema.AttributeType, "memberOf"))))
n, control = 0, SimplePagedResultsControl(True, size=2, cookie="")
while True:
    _, entries, _, controls = c.result3(c.search_ext(base, ldap.SCOPE_SUBTREE, "(objectClass=person)", ["uid"], serverctrls=[control]))
    n += len(entries)
    control.cookie = controls[0].cookie
    if not control.cookie:
        break
print("pages", n)
bind(dn, password)
print("whoami", c.whoami_s())
search()
bind(dn, "not-" + password)
print("whoami", c.whoami_s())
search()
bind(service, service_password)
search()
