"""Texts for accounts that mean something else by data_coding 0."""

import pytest

from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.message_pdus import DeliverSm
from pdu.text.coding import decode_text
from pdu.tlvs import Tag
from smsc.config_accounts import Meaning0
from smsc.session.homeward import homeward_body

TLVS = ((int(Tag.MESSAGE_STATE), b"\2"),)


def body_of(text: bytes, esm_class: int = 0, data_coding: int = 0) -> bytes:
    return encode_body(
        DeliverSm(
            source_addr="4179",
            destination_addr="12345",
            esm_class=esm_class,
            data_coding=data_coding,
            short_message=text,
            tlvs=TLVS,
        )
    )


@pytest.mark.parametrize(
    ("meaning", "septets", "data_coding", "octets"),
    [
        ("latin1", b"hello", 0, b"hello"),
        ("latin1", b"\0 gr~\x1e", 0, "@ grüß".encode("latin-1")),
        ("latin1", b"\x1be 5", 8, "€ 5".encode("utf-16-be")),
        ("ascii", b"\0 me", 0, b"@ me"),
        ("ascii", b"gr~\x1e", 8, "grüß".encode("utf-16-be")),
        ("ucs2", b"hi", 0, b"\0h\0i"),
        ("gsm7", b"\0 gr~\x1e", 0, b"\0 gr~\x1e"),
    ],
)
def test_the_text_arrives_as_the_account_reads_it(
    meaning: Meaning0, septets: bytes, data_coding: int, octets: bytes
) -> None:
    message = decode(Command.DELIVER_SM, homeward_body(body_of(septets), meaning))
    assert isinstance(message, DeliverSm)
    assert (message.data_coding, message.short_message) == (data_coding, octets)
    assert (message.source_addr, tuple(message.tlvs)) == ("4179", TLVS)


@pytest.mark.parametrize(
    "body",
    [
        body_of(b"\x05\0\3\1\2\1gr~\x1e", esm_class=0x40),
        body_of("grüß".encode("latin-1"), data_coding=3),
        body_of(b""),
        body_of(b"\x1be" * 80),  # 80 € take 160 octets in UCS-2; this one fits, see below
    ],
    ids=["part", "other coding", "empty", "many euros"],
)
def test_what_needs_no_change_stays_and_nothing_is_lost(body: bytes) -> None:
    changed = homeward_body(body, "latin1")
    before, after = (decode(Command.DELIVER_SM, one) for one in (body, changed))
    assert isinstance(before, DeliverSm)
    assert isinstance(after, DeliverSm)
    if changed != body:
        told = decode_text(after.short_message, after.data_coding)
        assert told == decode_text(before.short_message, before.data_coding)


def test_what_would_not_fit_stays() -> None:
    body = body_of(b"\x1be" + b"a" * 150)
    assert homeward_body(body, "latin1") == body
