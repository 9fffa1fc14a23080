"""Makes a Samba AD DC in an empty folder, with people, without the ACLs of
files: nobody asks it for files.

domain.py FOLDER PASSWORD"""
import base64
import logging
import sys
import time

from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision

folder, password = sys.argv[1:]
conf = folder + "/smb.conf"
with open(conf, "w") as f:
    f.write(f"""[global]
netbios name = DC1
realm = AD.EXAMPLE.AC.JP
workgroup = CAMPUS
server role = active directory domain controller
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}
log file = {folder}/log

[sysvol]
path = {folder}/sysvol

[netlogon]
path = {folder}/sysvol/ad.example.ac.jp/scripts
""")
lp = LoadParm(filename_for_non_global_lp=conf)
made = provision(logging.getLogger(), system_session(), smbconf=conf, lp=lp,
                 realm="AD.EXAMPLE.AC.JP", domain="CAMPUS", hostname="DC1", hostip="127.0.0.1",
                 adminpass="Admin-of-all-1", dns_backend="NONE", serverrole="dc",
                 dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, batch_mode=True)
db, domain = made.samdb, "DC=ad,DC=example,DC=ac,DC=jp"


def since_1601(days):
    """The time so many days ago, as the directory counts it: in steps of 100 ns."""
    return str((int(time.time()) + 11644473600 - days * 86400) * 10**7)


def b64(octets):
    return base64.b64encode(octets).decode()


db.modify_ldif(f"""dn: {domain}
changetype: modify
replace: maxPwdAge
maxPwdAge: {-365 * 86400 * 10**7}
-
replace: minPwdAge
minPwdAge: 0
-
replace: pwdProperties
pwdProperties: 0
-
replace: lockoutThreshold
lockoutThreshold: 3
""")
for name, cn, control in [
        ("alice", "アリス", 512), ("bob", "Bob Example", 512), ("carol", "Example\\, Carol", 512),
        ("expired", "Expired", 512), ("mustchange", "Must Change", 512), ("locked", "Locked", 512),
        ("disabled", "Disabled", 514), ("gone", "Gone", 512), ("svc-sekisho", "Sekisho", 66048)]:
    dn = b64(f"CN={cn},CN=Users,{domain}".encode())
    db.add_ldif(f"""dn:: {dn}
objectClass: user
sAMAccountName: {name}
userPrincipalName: {name}@ad.example.ac.jp
displayName:: {b64(cn.replace(chr(92), '').encode())}
mail: {name}@example.ac.jp
unicodePwd:: {b64(('"' + password + '"').encode('utf-16-le'))}
userAccountControl: {control}
""")
    changed = {"mustchange": ("pwdLastSet", "0"), "expired": ("pwdLastSet", since_1601(400)), "gone": ("accountExpires", since_1601(1))}
    if name in changed:
        attribute, value = changed[name]
        # Past the checks of the password's own module, which takes no old time.
        db.modify_ldif(f"dn:: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n",
                       ["local_oid:1.3.6.1.4.1.7165.4.3.12:0"])
alice, bob = (b64(f"CN={cn},CN=Users,{domain}".encode()) for cn in ("アリス", "Bob Example"))
for group, members in ("staff", [alice]), ("everybody", [b64(f"CN=staff,CN=Users,{domain}".encode()), bob]):
    db.add_ldif(f"dn: CN={group},CN=Users,{domain}\nobjectClass: group\nsAMAccountName: {group}\n" +
                "".join(f"member:: {m}\n" for m in members))
