"""Messages from the network, on their way to an account."""

from typing import Any

import pytest

from pdu.codec import encode_body, peek_deliver_sm
from pdu.message_pdus import DeliverSm
from pdu.status import Status
from pdu.text.joiner import TIMEOUT_MS
from pdu.tlvs import Tag
from routing.mo import MoTable
from routing.rule import MoRule
from smsc.directory.inbox import InboxShelf
from smsc.flow.inbound import MO_KEEP_MS, text_of
from smsc.message import Mailbox, OutletName
from smsc.ports import InboxQuery, MobileOriginated
from tests.flow.house import DEMO, SIM, START_MS, FakeReceiver, House


def mo(to: str = "12345", short_message: bytes = b"STOP now", **fields: Any) -> bytes:
    """A deliver_sm body."""
    return encode_body(
        DeliverSm(
            source_addr="4179000001", destination_addr=to, short_message=short_message, **fields
        )
    )


def parts(to: str, texts: list[str], reference: int = 7) -> list[bytes]:
    """The parts of one long message."""
    head = b"\x05\x00\x03%c%c" % (reference, len(texts))
    return [
        mo(to, head + b"%c" % number + text.encode(), esm_class=0x40)
        for number, text in enumerate(texts, 1)
    ]


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


class TestTargets:
    """What each rule says of the same message."""

    @pytest.fixture
    def house(self) -> House:
        house = House()
        house.inbound.home_of = lambda _account: ("https://home.example/mo", "native:1")
        house.inbound.routes = MoTable(
            (
                MoRule("demo", to=("1",), keyword="keep", deliver="inbox"),
                MoRule("demo", to=("1",), keyword="all", deliver="inbox", outlets=("other",)),
                MoRule(
                    "demo",
                    to=("1",),
                    keyword="post",
                    deliver="callback",
                    callback="https://rule.example/in",
                ),
                MoRule("demo", to=("2",), deliver="inbox"),
                MoRule("demo", to=("1",)),
            )
        )
        self.shelf = InboxShelf(
            house.store, house.store.ids, lambda: house.now_ms, lambda _account: True
        )
        house.inbound.take_in = self.shelf.take_in
        house.inbound.keep = self.shelf.keep
        house.inbound.take_away = self.shelf.take_away
        return house

    def kept(self, house: House) -> list[tuple[str, str, str, str, str]]:
        house.commit()
        return [
            (one.kind, one.source, one.destination, one.keyword, one.text)
            for one in self.shelf.received(DEMO, InboxQuery())
        ]

    def test_an_inbox_by_keyword(self, house: House) -> None:
        answers = house.mobile_originated(mo("12345", b"Keep this"))
        assert answers == []
        assert self.kept(house) == [("keyword", "4179000001", "12345", "Keep", "Keep this")]
        assert answers == [Status.ESME_ROK]
        assert house.store.mailboxes() == []
        (one,) = self.shelf.received(DEMO, InboxQuery())
        assert (one.outlet, one.received_ms) == ("sim", START_MS)

    def test_an_inbox_by_number(self, house: House) -> None:
        house.mobile_originated(mo("2", "Grüezi".encode("utf-16-be"), data_coding=8))
        assert self.kept(house) == [("inbox", "4179000001", "2", "", "Grüezi")]

    def test_a_callback_of_the_rule(self, house: House) -> None:
        house.mobile_originated(mo("12345", b"post it"))
        house.commit()
        (delivery,) = house.parked(Mailbox("callback:https://rule.example"))
        assert (delivery.callback_url, delivery.callback_style) == (
            "https://rule.example/in",
            "native:1",
        )

    def test_the_default_of_a_number(self, house: House) -> None:
        house.mobile_originated(mo("12345", b"anything"))
        house.commit()
        (delivery,) = house.parked(Mailbox("callback:https://home.example"))
        assert delivery.callback_url == "https://home.example/mo"

    def test_a_rule_for_another_carrier_is_passed_over(self, house: House) -> None:
        house.mobile_originated(mo("12345", b"all of it"))
        house.commit()
        assert house.parked(Mailbox("callback:https://home.example"))
        house.inbound.mobile_originated_nowait(
            [MobileOriginated(OutletName("other"), mo("12345", b"all of it"))], lambda _: None
        )
        assert self.kept(house) == [("keyword", "4179000001", "12345", "all", "all of it")]

    @pytest.mark.parametrize("has_sandbox", [True, False])
    def test_what_no_rule_takes(self, house: House, has_sandbox: bool) -> None:
        house.inbound.has_sandbox = has_sandbox
        answers = house.mobile_originated(mo("999", b"who am I"))
        house.commit()
        kept = [(one.kind, one.account, one.text) for one in self.shelf.sandbox(InboxQuery())]
        if has_sandbox:
            assert answers == [Status.ESME_ROK]
            assert kept == [("sandbox", "", "who am I")]
        else:
            assert answers == [Status.ESME_RX_R_APPN]
            assert kept == []

    def test_all_parts_go_where_the_first_one_went(self, house: House) -> None:
        house.mobile_originated(*parts("12345", ["post a long ", "keep text that ", "all of us"]))
        house.commit()
        found = house.parked(Mailbox("callback:https://rule.example"))
        assert len(found) == 3
        assert self.kept(house) == []

    def test_an_inbox_shows_parts_as_one_text(self, house: House) -> None:
        first, second, third = parts("12345", ["Keep a long ", "text ", "together"])
        house.mobile_originated(first)
        assert [one[4] for one in self.kept(house)] == ["Keep a long "]
        house.mobile_originated(third, third)
        assert [one[4] for one in self.kept(house)] == ["together", "Keep a long "]
        house.mobile_originated(second)
        assert self.kept(house) == [
            ("keyword", "4179000001", "12345", "Keep", "Keep a long text together")
        ]
        assert self.shelf.count(DEMO) == 1

    def test_parts_by_tlvs_and_torn_letters(self, house: House) -> None:
        octets = "Grüezi 😀 zäme".encode("utf-16-be")
        torn = [octets[:17], octets[17:]]
        house.mobile_originated(
            *(
                mo(
                    "2",
                    piece,
                    data_coding=8,
                    tlvs=(
                        (int(Tag.SAR_MSG_REF_NUM), b"\x01\x02"),
                        (int(Tag.SAR_TOTAL_SEGMENTS), b"\x02"),
                        (int(Tag.SAR_SEGMENT_SEQNUM), b"%c" % number),
                    ),
                )
                for number, piece in enumerate(torn, 1)
            )
        )
        assert [one[4] for one in self.kept(house)] == ["Grüezi 😀 zäme"]

    def test_parts_that_never_become_whole_stay(self, house: House) -> None:
        first, _, third = parts("2", ["one ", "two ", "three"])
        house.mobile_originated(first, third)
        house.now_ms += TIMEOUT_MS + 1
        again = parts("2", ["uno ", "due ", "tre"])
        house.mobile_originated(*again)
        assert [one[4] for one in self.kept(house)] == ["uno due tre", "three", "one "]

    def test_a_part_that_overtook_the_first_goes_by_its_number(self, house: House) -> None:
        first, second = parts("12345", ["keep a ", "keep b"])
        house.mobile_originated(second, first)
        house.commit()
        assert house.parked(Mailbox("callback:https://home.example")), "not by a word within"
        assert [one[4] for one in self.kept(house)] == ["keep a "]

    def test_a_message_that_is_brought_again_is_kept_once(self, house: House) -> None:
        again = MobileOriginated(SIM, mo("2", b"once"), key="k")
        answers: list[int] = []
        house.inbound.mobile_originated_nowait([again, again], answers.extend)
        house.commit()
        house.inbound.mobile_originated_nowait([again], answers.extend)
        assert len(self.kept(house)) == 1
        assert answers == [Status.ESME_ROK] * 3


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
