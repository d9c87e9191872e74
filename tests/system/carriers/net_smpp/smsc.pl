# An SMSC on Debian's Net::SMPP, which we did not write: bind, submit and unbind, nothing else.
#
#   perl -I LIB smsc.pl LEDGER PORT
#
# Every message gets the same id and no report. The ledger has one JSON object per line, written
# before the answer leaves.

use strict;
use warnings;

use IO::Select;
use Net::SMPP;
use Time::HiRes qw(time);

my ($ledger_file, $port) = @ARGV;
open(my $ledger, '>>', $ledger_file) or die "$ledger_file: $!";
$| = 1;
$SIG{TERM} = sub { exit 0 };

my $server = Net::SMPP->new_listen('127.0.0.1', port => $port || undef, smpp_version => 0x34)
    or die "cannot listen: $!";
my $sockets = IO::Select->new($server);
printf qq({"event":"listening","port":%d}\n), $server->sockport;

my %answers = (
    Net::SMPP::CMD_bind_transceiver() => \&bind_transceiver,
    Net::SMPP::CMD_submit_sm()        => \&submit,
    Net::SMPP::CMD_enquire_link()     => sub { $_[0]->enquire_link_resp(seq => $_[1]{seq}) },
    Net::SMPP::CMD_unbind()           => \&unbind,
);

while (1) {
    for my $socket ($sockets->can_read) {
        if ($socket == $server) {
            my $session = $server->accept or next;
            $session->set_version(0x34);
            $sockets->add($session);
        }
        else {
            serve($socket);
        }
    }
}

sub serve {
    my ($session) = @_;
    my $pdu = $session->read_pdu;
    return leave($session) if !defined $pdu;
    my $answer = $answers{ $pdu->{cmd} };
    $answer->($session, $pdu) if $answer;
}

sub bind_transceiver {
    my ($session, $pdu) = @_;
    note(qq("event":"bound","system_id":"$pdu->{system_id}"));
    $session->bind_transceiver_resp(system_id => 'perl', seq => $pdu->{seq});
}

sub submit {
    my ($session, $pdu) = @_;
    my ($part, $parts) = (1, 1);
    if ($pdu->{esm_class} & Net::SMPP::ESM_feature_UDHI) {
        ($parts, $part) = (unpack 'C6', $pdu->{short_message})[4, 5];
    }
    note(qq("event":"accepted","destination":"$pdu->{destination_addr}",)
            . qq("source":"$pdu->{source_addr}","part":$part,"parts":$parts));
    $session->submit_sm_resp(message_id => '123456789', seq => $pdu->{seq});
}

sub unbind {
    my ($session, $pdu) = @_;
    note('"event":"unbound"');
    $session->unbind_resp(seq => $pdu->{seq});
    leave($session);
}

sub leave {
    my ($session) = @_;
    $sockets->remove($session);
    close $session;
}

sub note {
    my ($facts) = @_;
    syswrite $ledger, sprintf(qq({%s,"at":%.3f}\n), $facts, time);
}
