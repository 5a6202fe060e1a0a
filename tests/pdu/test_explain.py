"""Every octet accounted for, whatever the octets are."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdu.__main__ import main
from pdu.codec import encode
from pdu.explain import Part, as_data, as_text, explain
from pdu.message_pdus import (
    DataSm,
    DistributionList,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
)
from pdu.session_pdus import BindTransceiver
from pdu.tlvs import Tag
from tests.pdu.strategies import any_pdu, mutate


def faults(parts: list[Part]) -> list[tuple[str, str]]:
    return [(part.name, part.fault.split(":")[0]) for part in parts if part.fault]


def assert_covered(octets: bytes) -> list[Part]:
    parts = explain(octets)
    at = 0
    for part in parts:
        assert part.start == at
        assert part.octets == octets[part.start : part.end]
        at = part.end
    assert at == len(octets)
    shown = "".join(line[7:47].strip() for line in as_text(parts).splitlines())
    assert shown == octets.hex()
    json.dumps(as_data(parts))
    return parts


@given(st.binary(max_size=200))
def test_any_octets_are_covered(octets: bytes) -> None:
    assert_covered(octets)


@given(any_pdu(), st.integers(0, 2**32), st.booleans())
@settings(max_examples=200)
def test_good_and_broken_pdus_are_covered(pdu: object, seed: int, mutating: bool) -> None:
    octets = encode(pdu, 1)  # type: ignore[arg-type]  # drawn as Pdu
    if not mutating:
        parts = assert_covered(octets)
        assert faults(parts) == []
        return
    body = mutate(octets[16:], random.Random(seed))
    assert_covered((16 + len(body)).to_bytes(4, "big") + octets[4:16] + body)


def test_names_values_and_meanings() -> None:
    pdu = SubmitSm(
        source_addr_ton=5,
        source_addr="MyBrand",
        destination_addr="447700900123",
        esm_class=0x43,
        registered_delivery=0x11,
        validity_period="000007000000000R",
        data_coding=8,
        short_message=b"\x05\0\3\7\2\1" + "привет".encode("utf-16-be"),
        tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\7"), (0x1501, b"x"), (0x5000, b"")),
    )
    text = as_text(assert_covered(encode(pdu, 1)))
    for phrase in (
        "submit_sm",
        "source_addr_ton 5  — alphanumeric",
        "'447700900123'",
        "store and forward, UDH",
        "receipt always, intermediate notification",
        "relative",
        "UCS2",
        "header 050003070201, then 'привет'",
        "TLV user_message_reference  — 7",
        "TLV 0x1501  — vendor TLV",
        "TLV 0x5000  — reserved tag",
    ):
        assert phrase in text


def test_text_in_a_payload_is_read() -> None:
    pdu = DataSm(destination_addr="1", tlvs=((Tag.MESSAGE_PAYLOAD, b"Hello"),))
    assert "'Hello'" in as_text(explain(encode(pdu, 1)))


def test_elements_are_numbered() -> None:
    pdu = SubmitMulti(dest_address=(SmeAddress(1, 1, "44"), DistributionList("all")))
    names = [part.name for part in assert_covered(encode(pdu, 1))]
    assert "dest_address[0].destination_addr" in names
    assert "dest_address[1].dl_name" in names


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\0\0\0\x10", [("cut off header", "a header has 16 octets")]),
        (
            encode(BindTransceiver("a" * 15, "p" * 20), 1),
            [("password", "ESME_RINVPASWD")],
        ),
        (encode(SubmitSm(source_addr_npi=7), 1), [("source_addr_npi", "ESME_RINVSRCNPI")]),
        (encode(SubmitSm(esm_class=0x40), 1), [("esm_class", "ESME_RINVESMCLASS")]),
        (
            encode(SubmitSm(tlvs=((Tag.SOURCE_PORT, b""),)), 1),
            [("TLV source_port", "ESME_RINVTLVLEN")],
        ),
        (
            b"\0\0\0\x13" + encode(SubmitSm(), 1)[4:19],
            [("verdict", "ESME_RINVCMDLEN")],
        ),
        (
            b"\0\0\0\x10" + encode(SubmitSm(), 1)[4:16],
            [("verdict", "ESME_RINVCMDLEN")],
        ),
        (
            b"\0\0\0\x23" + encode(SubmitSm(), 1)[4:32] + b"\x09ab",
            [("unreadable short_message", "ESME_RINVMSGLEN")],
        ),
        (b"\0\0\0\x10\0\0\7\x77" + bytes(8), [("command_id", "unknown operation")]),
    ],
)
def test_faults_stand_where_they_belong(octets: bytes, expected: list[tuple[str, str]]) -> None:
    assert faults(assert_covered(octets)) == expected


def test_what_is_missing_or_lost_is_said() -> None:
    whole = encode(SubmitSmResp(message_id="1a2b"), 1)
    assert faults(explain(whole[:-2]))[0] == ("command_length", "2 octets are missing")
    lost = explain(b"\0\0\0\x08" + bytes(30))
    assert lost[0].fault.startswith("shorter than the header")
    assert lost[-1].name == "unreadable"


def test_the_command_takes_hex_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    octets = encode(SubmitSmResp(message_id="1a2b"), 5)
    pieces = [octets[:7].hex(), octets[7:].hex().upper()]
    assert main(["explain", *pieces]) == 0
    assert "message_id '1a2b'" in capsys.readouterr().out
    assert main(["explain", "--json", *pieces]) == 0
    parts = json.loads(capsys.readouterr().out)
    assert [part["name"] for part in parts][-1] == "message_id"
    assert main(["explain", "xyz"]) == 2
    assert "not hex" in capsys.readouterr().err


def test_the_command_prices_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "Hello"]) == 0
    assert "gsm7" in capsys.readouterr().out
    assert main(["text", "ş", "--national", "klingon"]) == 2
    assert "klingon" in capsys.readouterr().err
