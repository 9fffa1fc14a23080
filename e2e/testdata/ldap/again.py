"""A program that signs the same person in again and again, by ldap3: each
time over a connection of its own, as a web mail or a file server does. Prints
how often which result came, and the last message.

again.py URL CA SOURCE TIMES DN PASSWORD"""
import collections
import ssl
import sys

import ldap3

url, ca, source, times, dn, password = sys.argv[1:]
ldap3.set_config_parameter("RESPONSE_SLEEPTIME", 0.001)  # between looks for an answer; else it takes 50 ms
server = ldap3.Server(url, tls=ldap3.Tls(ca_certs_file=ca, validate=ssl.CERT_REQUIRED), get_info=ldap3.NONE)
results = collections.Counter()
for _ in range(int(times)):
    c = ldap3.Connection(server, dn, password, client_strategy=ldap3.SAFE_SYNC, source_address=source)
    c.open()
    if url.startswith("ldap:"):
        c.start_tls()
    _, result, _, _ = c.bind()
    results[result["result"]] += 1
    c.unbind()
print(dict(results), result["message"])
