<?php
// A web application's sign-in on one connection, by PHP: the service account
// looks the person up, the person binds, and then fails to.
//
// two_binds.php URL CA BASE SERVICE-DN SERVICE-PASSWORD NAME PASSWORD

[, $url, $ca, $base, $service, $servicePassword, $name, $password] = $argv;
ldap_set_option(null, LDAP_OPT_X_TLS_CACERTFILE, $ca);
ldap_set_option(null, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND);
$c = ldap_connect($url);
ldap_set_option($c, LDAP_OPT_PROTOCOL_VERSION, 3);
ldap_set_option($c, LDAP_OPT_REFERRALS, 0);
if (str_starts_with($url, "ldap:") && !ldap_start_tls($c)) {
    exit(1);
}

function bind($dn, $word) {
    global $c;
    @ldap_bind($c, $dn, $word);
    $n = ldap_errno($c);
    ldap_get_option($c, LDAP_OPT_DIAGNOSTIC_MESSAGE, $info);
    echo "bind $n ", $n === 0 ? "" : $info, "\n";
}

function search() {
    global $c, $base, $name;
    $found = @ldap_search($c, $base, "(uid=" . ldap_escape($name, "", LDAP_ESCAPE_FILTER) . ")", ["mail", "memberOf"]);
    $dn = $found ? ldap_get_entries($c, $found)[0]["dn"] : "";
    echo "search ", ldap_errno($c), " $dn\n";
    return $dn;
}

function pages() {
    global $c, $base;
    $n = 0;
    $cookie = "";
    do {
        $found = ldap_search($c, $base, "(objectClass=person)", ["uid"], 0, 0, 0, LDAP_DEREF_NEVER,
            [["oid" => LDAP_CONTROL_PAGEDRESULTS, "iscritical" => true, "value" => ["size" => 2, "cookie" => $cookie]]]);
        ldap_parse_result($c, $found, $code, $matched, $message, $referrals, $controls);
        $n += ldap_count_entries($c, $found);
        $cookie = $controls[LDAP_CONTROL_PAGEDRESULTS]["value"]["cookie"];
    } while ($cookie !== "");
    echo "pages $n\n";
}

bind($service, $servicePassword);
$dn = search();
pages();
bind($dn, $password);
echo "whoami ", ldap_exop_whoami($c), "\n";
search();
bind($dn, "not-" . $password);
echo "whoami ", ldap_exop_whoami($c), "\n";
search();
bind($service, $servicePassword);
search();
