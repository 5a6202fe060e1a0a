"""How a received message reads as a mail and as an SMS."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import attrs
import pytest

from pdu.codec import peek_submit_sm
from pdu.tlvs import Tag, find_tlv
from smsc.config_mail import MailConfig
from smsc.flow.copies import is_own_number, mail_of, sms_of
from smsc.flow.inbound import text_of
from smsc.message import AccountId, MessageId
from smsc.ports import InboxKind, Profile, Received

MAIL = MailConfig(host="localhost", sender="sms@gw.example")
PROFILE = Profile(
    account=AccountId("demo"),
    uid=1,
    email="shop@example.org",
    mobile="+41 79 999 00 00",
    time_zone="Europe/Zurich",
)
RECEIVED = Received(
    id=MessageId(5),
    account=AccountId("demo"),
    kind=InboxKind.INBOX,
    source="+41791234567",
    destination="12345",
    text="Grüezi 😀\nzäme",
    received_ms=1_790_000_000_000,
)


def read(**changes: Any) -> EmailMessage:
    octets = mail_of(attrs.evolve(RECEIVED, **changes), PROFILE, MAIL, MessageId(77))
    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    return message_from_bytes(octets, _class=EmailMessage, policy=default)


def shown(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_a_mail() -> None:
    mail = read()
    assert dict(mail.items()) | {"Content-Transfer-Encoding": ""} == {
        "From": "sms@gw.example",
        "To": "shop@example.org",
        "Subject": "SMS from +41791234567 to 12345",
        "Date": "Mon, 21 Sep 2026 16:13:20 +0200",
        "Message-ID": "<77@gw.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "",
        "MIME-Version": "1.0",
    }
    assert shown(mail) == "Grüezi 😀\nzäme\n"


@pytest.mark.parametrize("zone", ["UTC", "Nowhere/Atlantis"])
def test_a_zone_that_this_system_does_not_know_is_utc(zone: str) -> None:
    mail = mail_of(RECEIVED, attrs.evolve(PROFILE, time_zone=zone), MAIL, MessageId(77))
    assert b"Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n" in mail


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@example.org\r\n\r\nhello", "x\n y", "x\0", "x\x85\u2028z", "\ud800"]
)
@pytest.mark.parametrize("field", ["source", "destination"])
def test_nothing_of_a_strangers_message_becomes_a_header(field: str, evil: str) -> None:
    mail = read(**{field: evil})
    assert len(mail.keys()) == 9
    assert "Bcc" not in mail
    assert "?" in mail["Subject"]
    assert shown(mail) == "Grüezi 😀\nzäme\n"


@pytest.mark.parametrize(
    ("text", "read_back"),
    [
        ("", "\n"),
        (".\r\n.\r\nQUIT", ".\n.\nQUIT\n"),
        ("a\rb", "a\nb\n"),
        ("\ud800", "?\n"),
        ("x" * 10_000, "x" * 10_000 + "\n"),
        ("ü" * 10_000, "ü" * 10_000 + "\n"),
        ("From: me\n\nhello", "From: me\n\nhello\n"),
    ],
)
def test_any_text_arrives(text: str, read_back: str) -> None:
    assert shown(read(text=text)) == read_back


def test_an_sms() -> None:
    body = sms_of(attrs.evolve(RECEIVED, text="Hello"), PROFILE)
    assert isinstance(body, bytes)
    peek = peek_submit_sm(body)
    assert (peek.source_addr, peek.destination_addr) == ("", "41799990000")
    assert peek.registered_delivery == 0
    assert text_of(body, peek_submit_sm(body)) == "+41791234567: Hello"


@pytest.mark.parametrize("text", ["é" * 254, "Ж" * 500])
def test_a_long_sms_travels_as_payload(text: str) -> None:
    body = sms_of(attrs.evolve(RECEIVED, text=text), attrs.evolve(PROFILE, sender="Shop"))
    assert isinstance(body, bytes)
    peek = peek_submit_sm(body)
    assert (peek.source_addr, peek.source_addr_ton, peek.sm_length) == ("Shop", 5, 0)
    assert find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD)
    assert text_of(body, peek) == f"+41791234567: {text}"


@pytest.mark.parametrize(
    ("profile", "text", "why"),
    [
        ({"mobile": "ask Bob"}, "x", "mobile is no number"),
        ({"mobile": "1" * 21}, "x", "mobile is no number"),
        ({"sender": "a name that is too long"}, "x", "sender cannot send messages"),
        ({"sender": "Жук"}, "x", "sender cannot send messages"),
        ({}, "Ж" * 20_000, "the text is too long for a message"),
    ],
)
def test_what_is_no_sms(profile: dict[str, str], text: str, why: str) -> None:
    assert sms_of(attrs.evolve(RECEIVED, text=text), attrs.evolve(PROFILE, **profile)) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "destination", "is_own"),
    [
        ("41799990000", "12345", True),
        ("+41799990000", "12345", True),
        ("12345", "+41799990000", True),
        ("41791234567", "12345", False),
        ("Shop", "", False),
    ],
)
@pytest.mark.parametrize("mobile", ["+41 79 999 00 00", "41799990000", "+41799990000"])
def test_a_message_of_the_mobile_itself(
    source: str, destination: str, is_own: bool, mobile: str
) -> None:
    one = attrs.evolve(RECEIVED, source=source, destination=destination)
    assert is_own_number(one, attrs.evolve(PROFILE, mobile=mobile)) is is_own
