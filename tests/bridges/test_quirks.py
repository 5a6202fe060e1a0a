"""A carrier's habits: what is read from the file, and what follows for a message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges import REGISTRY
from bridges.outgoing import PLAIN, part_bodies
from bridges.quirks import Quirks
from bridges.upstream_receipt import read_receipt
from pdu.codec import encode_body, peek_submit_sm
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.text.coding import decode_text
from pdu.text.errors import TextError
from pdu.text.packing import unpack_short_message
from pdu.tlvs import Tag, find_tlv, pack_tlv
from pdu.usual_receipt import read_deliver_sm
from smsc.config import Config, load
from smsc.config_errors import ConfigError
from smsc.message import OutletName, State
from tests.bridges.test_outgoing import body_of, message_of, submit_sm

NAME = OutletName("carrier")


def read(toml: str) -> Quirks | list[ConfigError]:
    text = f"""
[node]
data_dir = "/nowhere"
[outlets.c]
kind = "smpp"
host = "127.0.0.1"
system_id = "gw"
[outlets.c.quirks]
{toml}
"""
    kinds = {name: kind.config for name, kind in REGISTRY.items()}
    config = load(text, kinds, {})
    if isinstance(config, Config):
        quirks = config.outlets["c"].settings.quirks
        assert isinstance(quirks, Quirks)
        return quirks
    return config


def quirks_of(toml: str) -> Quirks:
    quirks = read(toml)
    assert isinstance(quirks, Quirks), quirks
    return quirks


# --- the section ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ('ids = "guess"', "outlets.c.quirks.ids"),
        ("receipt_ahead_min = 2000", "outlets.c.quirks.receipt_ahead_min"),
        ('long_text = "csms"', "outlets.c.quirks.long_text"),
        ("source_ton = 256", "outlets.c.quirks.source_ton"),
        ('errors = { "0x415" = "later" }', "outlets.c.quirks.errors"),
        ('errors = { "ESME_NO" = "permanent" }', "outlets.c.quirks.errors"),
        ('tlvs = { "0x1400" = "xyz" }', "outlets.c.quirks.tlvs"),
        ('errors = { "0x58" = "permanent", 88 = "throttled" }', "outlets.c.quirks.errors"),
        ('tlvs = { "0x1400" = "00", 5120 = "01" }', "outlets.c.quirks.tlvs"),
        ('tlvs = { "0x0424" = "00" }', "outlets.c.quirks.tlvs"),
        ("senders = []", "outlets.c.quirks.senders"),
        ('senders = ["*Shop"]', "outlets.c.quirks.senders"),
        ('sender = "Shop"\nsender_kinds = "numeric"', "outlets.c.quirks.sender"),
        ('sender = "4179"\nsender_kinds = "alphanumeric"', "outlets.c.quirks.sender"),
        ('sender = "Łódź"', "outlets.c.quirks.sender"),
        (r'sender = "a\u0000b"', "outlets.c.quirks.sender"),
        ('colour = "red"', "outlets.c.quirks.colour"),
    ],
)
def test_a_mistake_names_its_key(toml: str, key: str) -> None:
    errors = read(toml)
    assert isinstance(errors, list)
    assert [error.key for error in errors] == [key]


def test_without_the_section_nothing_changes() -> None:
    quirks = quirks_of("")
    assert quirks == Quirks()
    assert quirks.shape(knows_tlvs=True) is PLAIN
    assert not quirks.changes_addresses


# --- errors and dates -------------------------------------------------------------------------


def test_what_vendor_errors_mean() -> None:
    quirks = quirks_of(
        'errors = { "0x415" = "retryable", "1046" = "throttled", "88" = "permanent"}'
    )
    assert quirks.error_class(0x415) == "retryable"
    assert quirks.error_class(1046) == "throttled"
    assert quirks.error_class(88) == "permanent"
    assert quirks.error_class(0x14) == "throttled"
    assert quirks.error_class(0x08) == "retryable"
    assert quirks.error_class(0x0B) == "permanent"


RECEIPT = "id:7 sub:001 dlvrd:001 submit date:{0} done date:{0} stat:DELIVRD err:000 text:"


def receipt(text: str, tlvs: tuple[tuple[int, bytes], ...] = (), esm_class: int = 4) -> bytes:
    return encode_body(DeliverSm(esm_class=esm_class, short_message=text.encode(), tlvs=tlvs))


def done_of(quirks: Quirks, date: str) -> int:
    body = receipt(RECEIPT.format(date))
    found = read_receipt(NAME, read_deliver_sm(body), body, quirks)
    assert found is not None
    return found.done_ms


def test_dates_of_a_receipt() -> None:
    usual = done_of(Quirks(), "2611220301")
    assert usual
    assert done_of(Quirks(receipt_dates="ddmmyy"), "2211260301") == usual
    assert done_of(Quirks(receipt_dates="ddmmyy"), "221126030100") == usual
    assert done_of(Quirks(receipt_dates="ddmmyy"), "22112026030100") == usual
    assert done_of(Quirks(receipt_dates="ddmmyy"), "221120260301") == usual
    in_2020 = done_of(Quirks(), "201122200301")
    assert done_of(Quirks(receipt_dates="ddmmyy"), "221120200301") == in_2020
    assert done_of(Quirks(receipt_ahead_min=60), "2611220401") == usual
    assert done_of(Quirks(receipt_dates="ignore"), "2611220301") == 0


def test_receipts_without_their_bits() -> None:
    body = receipt(RECEIPT.format("2611220301"), esm_class=0)
    assert read_receipt(NAME, read_deliver_sm(body), body) is None
    found = read_receipt(NAME, read_deliver_sm(body), body, Quirks(receipts_unmarked=True))
    assert found is not None
    assert (found.upstream_id, found.state) == ("7", State.DELIVERED)
    message = encode_body(DeliverSm(short_message=b"id: who are you?"))
    quirks = Quirks(receipts_unmarked=True)
    assert read_receipt(NAME, read_deliver_sm(message), message, quirks) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("any", ("8", State.UNDELIVERABLE)),
        ("tlv", ("8", State.UNDELIVERABLE)),
        ("text", ("7", State.DELIVERED)),
    ],
)
def test_where_a_receipt_is_to_be_believed(source: Any, expected: tuple[str, State]) -> None:
    tlvs = ((int(Tag.RECEIPTED_MESSAGE_ID), b"8\0"), (int(Tag.MESSAGE_STATE), b"\5"))
    body = receipt(RECEIPT.format("2611220301"), tlvs)
    found = read_receipt(NAME, read_deliver_sm(body), body, Quirks(receipts=source))
    assert found is not None
    assert (found.upstream_id, found.state) == expected
    assert bool(found.done_ms) is (source != "tlv")


# --- addresses --------------------------------------------------------------------------------


def addresses(quirks: Quirks, **fields: Any) -> tuple[int, int, str, int, int, str] | None:
    body = encode_body(SubmitSm(**{"destination_addr": "4179", **fields}))
    dressed = quirks.rewrite(body, peek_submit_sm(body))
    if dressed is None:
        return None
    sm = submit_sm(dressed)
    assert dressed[-9:] == body[-9:]
    source = (sm.source_addr_ton, sm.source_addr_npi, sm.source_addr)
    return (*source, sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr)


def test_numbering_plans_by_default_and_always() -> None:
    default = Quirks(source_ton=3, source_npi=1, dest_ton=1, dest_npi=1)
    assert addresses(default, source_addr="123") == (3, 1, "123", 1, 1, "4179")
    given_by_client: dict[str, Any] = {"dest_addr_ton": 2, "dest_addr_npi": 8, "source_addr": "12"}
    assert addresses(default, **given_by_client) == (3, 1, "12", 2, 8, "4179")
    always = Quirks(dest_ton=1, dest_npi=1, ton_npi="always")
    assert addresses(always, **given_by_client) == (0, 0, "12", 1, 1, "4179")
    # An alphanumeric sender keeps its TON.
    shop: dict[str, Any] = {"source_addr_ton": 5, "source_addr": "Shop"}
    assert addresses(default, **shop) == (5, 0, "Shop", 1, 1, "4179")


def test_senders_that_the_carrier_does_not_take() -> None:
    shop: dict[str, Any] = {"source_addr_ton": 5, "source_addr": "Shop"}
    number: dict[str, Any] = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "4178"}
    numeric = Quirks(sender_kinds="numeric", sender="41790000000")
    assert addresses(numeric, **shop) == (1, 1, "41790000000", 0, 0, "4179")
    assert addresses(numeric, **number) == (1, 1, "4178", 0, 0, "4179")
    assert addresses(Quirks(sender_kinds="numeric"), **shop) is None
    alphanumeric = Quirks(sender_kinds="alphanumeric", sender="Info")
    assert addresses(alphanumeric, **number) == (5, 0, "Info", 0, 0, "4179")
    listed = Quirks(senders=("Sho*", "4178"))
    assert addresses(listed, **shop) == (5, 0, "Shop", 0, 0, "4179")
    assert addresses(listed, **number) == (1, 1, "4178", 0, 0, "4179")
    assert addresses(listed, source_addr="4177") is None


# --- texts ------------------------------------------------------------------------------------

LONG = "0123456789" * 40


def shaped(
    text: bytes, quirks: Quirks, *, knows_tlvs: bool = True, **fields: Any
) -> list[SubmitSm]:
    payload = b"" if len(text) <= 140 else text
    body = body_of(b"" if payload else text, payload, **fields)
    bodies = part_bodies(message_of(body), shape=quirks.shape(knows_tlvs=knows_tlvs))
    return [submit_sm(one) for one in bodies]


def tlv(sm: SubmitSm, tag: Tag) -> bytes | None:
    body = encode_body(sm)
    return find_tlv(body, peek_submit_sm(body).tlvs_at, tag)


def test_a_long_text_in_each_form() -> None:
    udh = shaped(LONG.encode(), Quirks(default_alphabet="ascii"))
    assert [one.short_message[:3] for one in udh] == [b"\5\0\3"] * 3
    wide = shaped(LONG.encode(), Quirks(long_text="udh16"))
    assert [one.short_message[:3] for one in wide] == [b"\6\x08\4"] * 3
    assert all(one.esm_class & 0x40 for one in udh + wide)
    sar = shaped(LONG.encode(), Quirks(long_text="sar"))
    assert b"".join(one.short_message for one in sar) == LONG.encode()
    assert [tlv(one, Tag.SAR_SEGMENT_SEQNUM) for one in sar] == [b"\1", b"\2", b"\3"]
    assert {tlv(one, Tag.SAR_TOTAL_SEGMENTS) for one in sar} == {b"\3"}
    assert not any(one.esm_class & 0x40 for one in sar)
    (payload,) = shaped(LONG.encode(), Quirks(long_text="payload"))
    assert tlv(payload, Tag.MESSAGE_PAYLOAD) == LONG.encode()
    assert payload.short_message == b""


@pytest.mark.parametrize("form", ["udh", "udh16", "sar", "payload"])
def test_a_short_text_stays_short(form: Any) -> None:
    (one,) = shaped(b"hello", Quirks(long_text=form, default_alphabet="ascii"))
    assert (one.short_message, one.esm_class, one.tlvs) == (b"hello", 0, ())


def test_smpp_3_3_gets_no_tlvs() -> None:
    quirks = Quirks(long_text="sar", tlvs=((0x1400, b"x"),))
    parts = shaped(LONG.encode(), quirks, knows_tlvs=False)
    assert len(parts) == 3
    assert not any(one.tlvs for one in parts)
    assert parts[0].short_message.startswith(b"\5\0\3")


@pytest.mark.parametrize("octets", [255, 306])
def test_smpp_3_3_refuses_what_short_message_cannot_hold(octets: int) -> None:
    part = b"\5\0\3\x07\2\1".ljust(octets, b"x")
    with pytest.raises(TextError, match=f"{octets} octets"):
        shaped(part, Quirks(), knows_tlvs=False, esm_class=0x40)
    (one,) = shaped(part[:254], Quirks(), knows_tlvs=False, esm_class=0x40)
    assert one.short_message == part[:254]


def test_tlvs_are_added_to_each_part() -> None:
    quirks = quirks_of('tlvs = { "0x1400" = "0102", "5121" = "" }')
    parts = shaped(LONG.encode(), quirks)
    assert len(parts) == 3
    for one in parts:
        assert (0x1400, b"\1\2") in one.tlvs


def test_tlvs_take_the_place_of_the_client_s() -> None:
    quirks = Quirks(tlvs=((0x1400, b"v"),))
    (one,) = shaped(b"x", quirks, more=pack_tlv(0x1400, b"client") + pack_tlv(0x1401, b"c"))
    assert one.tlvs == ((0x1401, b"c"), (0x1400, b"v"))


def test_data_coding_0_is_what_the_carrier_means_by_it() -> None:
    septets = b"\x05 \x00\x02"  # é @ $ in GSM-7
    assert decode_text(septets, 0) == "é @$"
    (latin,) = shaped(septets, Quirks(default_alphabet="latin1"))
    assert (latin.short_message, latin.data_coding) == ("é @$".encode("latin-1"), 0)
    (ascii_,) = shaped(septets, Quirks(default_alphabet="ascii"))
    assert (ascii_.short_message, ascii_.data_coding) == ("é @$".encode("utf-16-be"), 8)
    (packed,) = shaped(septets, Quirks(default_alphabet="packed"))
    assert len(packed.short_message) == 4
    assert unpack_short_message(packed.short_message) == septets
    (ucs2,) = shaped("é".encode("utf-16-be"), Quirks(default_alphabet="latin1"), data_coding=8)
    assert ucs2.short_message == "é".encode("utf-16-be")


def test_a_part_of_the_client_does_not_grow() -> None:
    header = b"\5\0\3\x07\2\1"
    quirks = Quirks(default_alphabet="ascii")
    (one,) = shaped(header + b"a\x05b", quirks, esm_class=0x40)
    assert (one.short_message, one.data_coding) == (header + b"a?b", 0)


@given(
    text=st.text(st.sampled_from("abcdefgh @$é€[]"), max_size=700),
    form=st.sampled_from(["udh", "udh16", "sar", "payload"]),
    alphabet=st.sampled_from(["gsm7", "packed", "latin1", "ascii"]),
)
def test_whatever_the_shape_the_text_arrives(text: str, form: Any, alphabet: Any) -> None:
    from pdu.text.gsm7 import encode

    septets = encode(text)
    assert septets is not None
    quirks = Quirks(long_text=form, default_alphabet=alphabet)
    shape = quirks.shape(knows_tlvs=True)
    arrived = ""
    for one in shaped(septets, quirks):
        data = one.short_message or tlv(one, Tag.MESSAGE_PAYLOAD) or b""
        header = data[: data[0] + 1] if one.esm_class & 0x40 else b""
        arrived += decode_text(data[len(header) :], one.data_coding, shape.default, udh=header)
    if alphabet == "packed":  # an "@" at the end cannot be told from padding
        arrived, text = arrived.replace("@", ""), text.replace("@", "")
    assert arrived == text
