# What the Perl samples of the NetOxygen document do, with the library that they use.
# perl netoxygen.pl URL; prints one line of JSON for each answer.
use strict;
use utf8;
use Encode;
use JSON::PP;
use RPC::XML qw(smart_encode);
use RPC::XML::Client;

my $cli = RPC::XML::Client->new($ARGV[0]);
my $json = JSON::PP->new->canonical->ascii;

sub ask {
    my $resp = $cli->send_request(@_);
    die "communication failed: $resp\n" unless ref $resp;
    my $said = $resp->is_fault ? {fault => $resp->code + 0} : $resp->value;
    print $json->encode([$said]), "\n";
    return $said;
}

# "More complete Perl script (handles accentuation and errors)"
my $user = smart_encode('demo');
my $pass = smart_encode('demo');
my $dst = RPC::XML::base64->new(Encode::encode('utf8', '0792223344'));
my $msg = RPC::XML::base64->new(Encode::encode('utf8', "été €"));
my $rows = ask('send_message', ($user, $pass, $dst, $msg));

# "Simple Perl script": the types are guessed
ask('send_message', ('demo', 'demo', '0792223344', '4711'));
ask('get_status', ('demo', 'demo', $rows->[0][2]));
ask('account_status', ('demo', 'wrong'));
