"""From stored messages to what services are told."""

import pytest

from bridges.connectors.sms import Dress, Sms, read_sms
from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.message import OutletName, Progress, State
from smsc.ports import Failed, Outgoing
from tests.fakes.services.sms import NOW_MS, message_of, outgoing_of, sms_of


def read(body: SubmitSm, dress: Dress | None = None, parts: bytes = b"") -> list[Sms] | Failed:
    outgoing = Outgoing(
        message_of(encode_body(body)), Progress(State.QUEUED, OutletName(""), parts=parts)
    )
    return read_sms(outgoing, dress or Dress(), NOW_MS)


def one(body: SubmitSm, dress: Dress | None = None) -> Sms:
    made = read(body, dress)
    assert not isinstance(made, Failed)
    assert len(made) == 1
    return made[0]


def test_a_plain_message() -> None:
    sms = sms_of("Hello")
    assert (sms.to, sms.plus_to, sms.is_national) == ("41791234567", "+41791234567", False)
    assert (sms.sender, sms.plus_sender, sms.is_sender_ours) == ("Shop", "Shop", False)
    assert (sms.text, sms.is_unicode, sms.is_flash, sms.is_octets) == ("Hello", False, False, False)
    assert (sms.part, sms.parts, sms.reference, sms.validity_s) == (0, 1, "7", 0)


def test_a_long_text_is_one_for_a_service_that_joins() -> None:
    made = read_sms(outgoing_of("ы" * 500), Dress(), NOW_MS)
    assert not isinstance(made, Failed)
    assert [one.text for one in made] == ["ы" * 500]
    assert made[0].is_unicode
    assert made[0].text_parts == 8


def test_a_long_text_is_parted_with_a_header_for_one_that_does_not() -> None:
    outgoing = outgoing_of("a" * 320)
    made = read_sms(outgoing, Dress(in_parts=True), NOW_MS)
    assert not isinstance(made, Failed)
    assert "".join(sms.text for sms in made) == "a" * 320
    assert [(sms.part, sms.parts) for sms in made] == [(0, 3), (1, 3), (2, 3)]
    assert [sms.udh[-2:] for sms in made] == [b"\x03\x01", b"\x03\x02", b"\x03\x03"]
    assert [sms.reference for sms in made] == ["7.0", "7.1", "7.2"]


def test_parts_that_left_are_not_sent_again() -> None:
    states = bytes((State.ENROUTE, State.QUEUED, State.ENROUTE))
    outgoing = outgoing_of("a" * 320)
    outgoing.progress.parts = states
    made = read_sms(outgoing, Dress(in_parts=True), NOW_MS)
    assert not isinstance(made, Failed)
    assert [sms.part for sms in made] == [1]


def test_too_many_parts_are_refused() -> None:
    octets = b"a" * 60_000
    body = SubmitSm(destination_addr="4179", tlvs=((int(Tag.MESSAGE_PAYLOAD), octets),))
    assert read(body, Dress(in_parts=True)) == Failed(7, Status.ESME_RINVMSGLEN)  # type: ignore[arg-type]


@pytest.mark.parametrize("data_coding", [0x10, 0xF0])
def test_flash(data_coding: int) -> None:
    sms = one(SubmitSm(destination_addr="4179", data_coding=data_coding, short_message=b"x"))
    assert sms.is_flash
    assert sms.text == "x"


def test_octets_are_for_services_that_take_them() -> None:
    body = SubmitSm(destination_addr="4179", data_coding=4, short_message=b"\x01\x02")
    assert read(body) == Failed(7, Status.ESME_RINVDCS)  # type: ignore[arg-type]
    sms = one(body, Dress(takes_octets=True))
    assert (sms.is_octets, sms.data) == (True, b"\x01\x02")


def test_a_part_that_the_client_made_goes_as_a_message_of_its_own() -> None:
    part = b"\x05\x00\x03\x01\x02\x01" + b"first half"
    sms = one(SubmitSm(destination_addr="4179", esm_class=0x40, short_message=part))
    assert (sms.text, sms.udh) == ("first half", part[:6])


@pytest.mark.parametrize(
    ("given", "dress", "sender", "is_ours"),
    [
        ("Shop", Dress(), "Shop", False),
        ("Shop", Dress(sender="+4100"), "4100", True),
        ("Shop", Dress(default_sender="Us"), "Shop", False),
        ("", Dress(default_sender="Us"), "Us", True),
        ("", Dress(), "", True),
    ],
)
def test_whose_sender(given: str, dress: Dress, sender: str, is_ours: bool) -> None:
    sms = one(SubmitSm(source_addr=given, destination_addr="4179", short_message=b"x"), dress)
    assert (sms.sender, sms.is_sender_ours) == (sender, is_ours)


def test_a_validity_that_the_client_gave_is_told() -> None:
    made = read_sms(outgoing_of(expires_ms=NOW_MS + 60_000), Dress(), NOW_MS)
    assert not isinstance(made, Failed)
    assert made[0].validity_s == 3600  # the message's own end, as intake set it


@pytest.mark.parametrize(
    ("ton", "number", "written"),
    [
        (1, "41791234567", "+41791234567"),
        (0, "41791234567", "+41791234567"),
        (0, "+41791234567", "+41791234567"),
        (0, "0791234567", "0791234567"),
        (2, "791234567", "791234567"),
        (3, "1234567", "1234567"),
        (0, "12345", "12345"),
    ],
)
def test_only_international_numbers_get_a_plus(ton: int, number: str, written: str) -> None:
    body = SubmitSm(dest_addr_ton=ton, destination_addr=number, short_message=b"x")
    assert one(body).plus_to == written


def test_short_codes_get_no_plus() -> None:
    assert sms_of(to="12345").plus_to == "12345"


def test_the_receipt_url_bears_our_reference() -> None:
    sms = sms_of(dress=Dress(receipt_url="https://gw.example/r/x"), part=1, parts=2)
    assert sms.referring_url == "https://gw.example/r/x?ref=7.1"
    assert sms_of().referring_url == ""
