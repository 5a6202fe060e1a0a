"""Messages from their addresses and texts."""

import pytest

from pdu.address import guess_destination, guess_source
from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.compose import compose
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.tlvs import Tag

SHOP, HANDSET = guess_source("Shop"), guess_destination("+41791234567")
REFERENCE = (int(Tag.USER_MESSAGE_REFERENCE), b"\0\7")


@pytest.mark.parametrize(
    ("kind", "command"), [(SubmitSm, Command.SUBMIT_SM), (DeliverSm, Command.DELIVER_SM)]
)
@pytest.mark.parametrize("octets", [0, 1, 254, 255, 1000])
def test_the_text_stands_where_it_fits(kind: type[SubmitSm], command: Command, octets: int) -> None:
    text = b"x" * octets
    pdu = compose(kind, SHOP, HANDSET, text, data_coding=3, tlvs=(REFERENCE,))
    assert decode(command, encode_body(pdu)) == pdu
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == SHOP
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == HANDSET
    payload = (int(Tag.MESSAGE_PAYLOAD), text)
    if octets <= 254:
        assert (pdu.short_message, pdu.tlvs) == (text, (REFERENCE,))
    else:
        assert (pdu.short_message, pdu.tlvs) == (b"", (payload, REFERENCE))
    assert pdu.data_coding == 3
