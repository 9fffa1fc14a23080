"""A web application's sign-in on one connection, by ldap3: the service
account looks the person up, the person binds, and then fails to.

two_binds_ldap3.py URL CA BASE SERVICE-DN SERVICE-PASSWORD NAME PASSWORD"""
import ssl
import sys

import ldap3
from ldap3.utils.conv import escape_filter_chars

url, ca, base, service, service_password, name, password = sys.argv[1:]
server = ldap3.Server(url, tls=ldap3.Tls(ca_certs_file=ca, validate=ssl.CERT_REQUIRED), get_info=ldap3.ALL)
c = ldap3.Connection(server, service, service_password, client_strategy=ldap3.SAFE_SYNC)
c.open()
if url.startswith("ldap:"):
    c.start_tls()


def bind(dn, word):
    c.user, c.password = dn, word
    _, result, _, _ = c.bind()
    print("bind", result["result"], result["message"])


def search():
    _, result, entries, _ = c.search(base, "(uid=%s)" % escape_filter_chars(name), attributes=["mail", "memberOf"])
    print("search", result["result"], [e["dn"] for e in entries or []])
    return entries


bind(service, service_password)
dn = search()[0]["dn"]
# It has read the schema, and holds what it sends and gets against it.
print("schema", "inetOrgPerson" in server.schema.object_classes, "memberOf" in server.schema.attribute_types)
pages = c.extend.standard.paged_search(base, "(objectClass=person)", attributes=["uid"], paged_size=2, generator=False)
print("pages", len(pages))
bind(dn, password)
print("whoami", c.extend.standard.who_am_i() or "")
search()
bind(dn, "not-" + password)
print("whoami", c.extend.standard.who_am_i() or "")
search()
bind(service, service_password)
search()
