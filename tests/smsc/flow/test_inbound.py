"""Messages from the network, on their way to an account."""

from typing import Any

import pytest

from pdu.codec import encode_body, peek_deliver_sm
from pdu.message_pdus import DeliverSm
from pdu.status import Status
from pdu.tlvs import Tag
from routing.mo import MoTable
from routing.rule import MoRule
from smsc.flow.inbound import MO_KEEP_MS, text_of
from smsc.message import Mailbox
from tests.flow.house import START_MS, FakeReceiver, House


def mo(to: str = "12345", short_message: bytes = b"STOP now", **fields: Any) -> bytes:
    """A deliver_sm body."""
    return encode_body(
        DeliverSm(
            source_addr="4179000001", destination_addr=to, short_message=short_message, **fields
        )
    )


def test_the_answer_waits_for_the_disk_and_the_body_stays_as_it_came() -> None:
    house = House()
    answers = house.mobile_originated(mo())
    assert answers == []
    house.commit()
    assert answers == [Status.ESME_ROK]
    (delivery,) = house.parked()
    assert (delivery.kind, delivery.account, delivery.body) == ("mo", "demo", mo())
    assert delivery.expires_ms == START_MS + MO_KEEP_MS


def test_who_is_bound_gets_it_at_once() -> None:
    house = House()
    receiver = FakeReceiver()
    house.mailboxes.attach(Mailbox("demo"), receiver)
    house.mobile_originated(mo(), mo("+12345"))
    assert receiver.got == []
    house.commit()
    assert [one.body for one in receiver.got] == [mo(), mo("+12345")]


def test_an_account_with_a_callback_gets_it_there() -> None:
    house = House()
    house.inbound.home_of = lambda account: (f"https://{account}.example/mo", "jasmin:1")
    house.mobile_originated(mo())
    house.commit()
    (delivery,) = house.parked(Mailbox("callback:https://demo.example"))
    assert (delivery.callback_url, delivery.callback_style, delivery.outlet) == (
        "https://demo.example/mo",
        "jasmin:1",
        "sim",
    )


def test_each_of_a_read_has_its_own_answer() -> None:
    house = House()
    answers = house.mobile_originated(mo("999"), b"\0", mo())
    house.commit()
    assert answers[0] == Status.ESME_RX_R_APPN
    assert answers[1] not in {0, Status.ESME_RX_R_APPN}
    assert answers[2] == 0
    assert house.log.events == [("mo.unrouted", {"outlet": "sim", "destination_addr": "999"})]
    assert (len(house.parked()), house.inbound.received) == (1, 1)


def test_the_keyword_is_the_first_word_of_the_text() -> None:
    house = House()
    house.inbound.routes = MoTable(
        (MoRule("other", to=("1",), keyword="stop"), MoRule("demo", to=("1",)))
    )
    house.mobile_originated(mo(), mo(short_message=b"go"))
    house.commit()
    assert [one.body for one in house.parked(Mailbox("other"))] == [mo()]
    assert [one.body for one in house.parked()] == [mo(short_message=b"go")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (mo(short_message=b"Hi \x02 there"), "Hi $ there"),
        (mo(short_message="Grüezi".encode("utf-16-be"), data_coding=8), "Grüezi"),
        (mo(short_message=b"\x05\x00\x03\x07\x02\x01Hello", esm_class=0x40), "Hello"),
        (
            encode_body(
                DeliverSm(
                    source_addr="1",
                    destination_addr="2",
                    tlvs=((int(Tag.MESSAGE_PAYLOAD), b"long"),),
                )
            ),
            "long",
        ),
        (mo(short_message=b""), ""),
    ],
)
def test_the_text_of_a_body(body: bytes, text: str) -> None:
    assert text_of(body, peek_deliver_sm(body)) == text
