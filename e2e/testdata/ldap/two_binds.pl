# The same as two_binds.php by Perl's Net::LDAP.
use strict;
use warnings;

use Net::LDAP;
use Net::LDAP::Constant qw(LDAP_CONTROL_PAGED);
use Net::LDAP::Control::Paged;
use Net::LDAP::Extension::WhoAmI;
use Net::LDAP::Util qw(escape_filter_value);

my ($url, $ca, $base, $service, $service_password, $name, $password) = @ARGV;
my %tls = (verify => 'require', cafile => $ca);
my $c = Net::LDAP->new($url, %tls) or die $@;
if ($url =~ /^ldap:/) {
    my $answer = $c->start_tls(%tls);
    die $answer->error if $answer->code;
}

sub bind_as {
    my ($dn, $word) = @_;
    my $answer = $c->bind($dn, password => $word);
    print 'bind ', $answer->code, ' ', $answer->code ? $answer->error : '', "\n";
}

sub search {
    my $answer = $c->search(base => $base, filter => '(uid=' . escape_filter_value($name) . ')', attrs => ['mail', 'memberOf']);
    my $dn = $answer->count ? $answer->entry(0)->dn : '';
    print 'search ', $answer->code, " $dn\n";
    return $dn;
}

sub pages {
    my ($n, $page) = (0, Net::LDAP::Control::Paged->new(size => 2, critical => 1));
    while (1) {
        my $answer = $c->search(base => $base, filter => '(objectClass=person)', attrs => ['uid'], control => [$page]);
        $n += $answer->count;
        my ($came) = $answer->control(LDAP_CONTROL_PAGED);
        last unless length $came->cookie;
        $page->cookie($came->cookie);
    }
    print "pages $n\n";
}

bind_as($service, $service_password);
my $dn = search();
pages();
bind_as($dn, $password);
print 'whoami ', $c->who_am_i->response, "\n";
search();
bind_as($dn, "not-$password");
print 'whoami ', $c->who_am_i->response, "\n";
search();
bind_as($service, $service_password);
search();
$c->unbind;
