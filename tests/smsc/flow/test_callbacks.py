"""What callbacks with a style hear of their message: the events they ask for, and no others."""

import pytest

from bridges.http.dialects.base import read_body
from smsc.flow.callbacks import mailbox_for
from smsc.message import AccountId, Delivery, MessageId, State
from smsc.ports import CallbackEvent, Failed, Telling, TryLater
from tests.flow.house import A, B, House, draft_to

URL = "https://shop.example/dlr"
MAILBOX = mailbox_for("demo", URL)
ALL = 63
D, F, BUFFERED, ACC, REJ, NOTICE = (1 << bit for bit in range(6))


def admit(house: House, mask: int, to: str = "4179000001", **wishes: object) -> MessageId:
    """A message whose style asks for these events (the house reads "mask:N")."""
    style = {"callback_url": URL, "callback_style": f"mask:{mask}", "registered_delivery": 0}
    (id_,) = house.admit(draft_to(to, **(style | wishes)))
    return id_


def told(house: House) -> list[tuple[str, State]]:
    return [(one.kind, one.state) for one in house.parked(MAILBOX)]


ENROUTE, DELIVERED, UNDELIVERABLE = State.ENROUTE, State.DELIVERED, State.UNDELIVERABLE


@pytest.mark.parametrize(
    ("mask", "events"),
    [
        (ALL, [("accepted", ENROUTE), ("receipt", DELIVERED)]),
        (ACC, [("accepted", ENROUTE)]),
        (D, [("receipt", DELIVERED)]),
        (F | BUFFERED | REJ | NOTICE, []),
        (0, []),
    ],
)
def test_of_a_message_that_arrives(mask: int, events: list[tuple[str, State]]) -> None:
    house = House()
    admit(house, mask)
    house.receipt(A, *house.accept_all(A))
    house.commit()
    assert told(house) == events


@pytest.mark.parametrize(
    ("mask", "events"),
    [
        (ALL, [("accepted", ENROUTE), ("receipt", UNDELIVERABLE)]),
        (F, [("receipt", UNDELIVERABLE)]),
        (D | REJ, []),
    ],
)
def test_of_a_message_that_fails_at_the_handset(mask: int, events: list[tuple[str, State]]) -> None:
    house = House()
    admit(house, mask)
    house.receipt(A, *house.accept_all(A), state=UNDELIVERABLE)
    house.commit()
    assert told(house) == events


@pytest.mark.parametrize(
    ("mask", "events"),
    [
        (ALL, [("rejected", State.REJECTED)]),
        (F, [("receipt", State.REJECTED)]),  # it never asked for 16, and must hear of the end
        (D | ACC, []),
    ],
)
def test_of_a_message_that_no_network_takes(mask: int, events: list[tuple[str, State]]) -> None:
    house = House()
    admit(house, mask)
    house.settle(A, Failed(house.outlets[A].take_back()[0][0], 0x0B))
    house.commit()
    assert told(house) == events
    assert all(one.error == 0x0B for one in house.parked(MAILBOX))


@pytest.mark.parametrize(
    ("mask", "kinds"),
    [(ALL, ["buffered", "accepted"]), (BUFFERED, ["buffered"]), (NOTICE | D, [])],
)
def test_of_a_message_that_has_to_wait(mask: int, kinds: list[str]) -> None:
    house = House()
    admit(house, mask)
    house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 0x58))
    house.commit()
    house.accept_all(B)
    assert [kind for kind, _ in told(house)] == kinds


@pytest.mark.parametrize(("mask", "count"), [(ALL, 1), (BUFFERED, 1), (NOTICE, 1), (D | ACC, 0)])
def test_of_a_network_that_says_it_is_on_its_way(mask: int, count: int) -> None:
    house = House()
    admit(house, mask)
    house.receipt(A, *house.accept_all(A), state=ENROUTE)
    house.commit()
    assert [kind for kind, _ in told(house)].count("notice") == count


def test_all_parts_must_be_taken_before_it_is_accepted() -> None:
    house = House()
    admit(house, ALL, "4179000003")
    upstream_ids = house.accept_all(A)
    house.commit()
    assert told(house) == [("accepted", ENROUTE)]
    house.receipt(A, *upstream_ids)
    house.commit()
    assert told(house) == [("accepted", ENROUTE), ("receipt", DELIVERED)]


def test_a_delivery_tells_where_the_message_went() -> None:
    house = House()
    id_ = admit(house, ALL, reference="r1")
    (upstream_id,) = house.accept_all(A)
    house.commit()
    (delivery,) = house.parked(MAILBOX)
    assert isinstance(delivery, Delivery)
    assert (delivery.message_id, delivery.outlet, delivery.upstream_id) == (id_, A, upstream_id)
    assert (delivery.callback_url, delivery.callback_style) == (URL, f"mask:{ALL}")
    assert delivery.reference == "r1"
    assert b"stat:ENROUTE" in delivery.body


def test_the_receipt_of_another_run_is_told_too() -> None:
    house = House()
    admit(house, D)
    upstream_ids = house.accept_all(A)
    house.restart()
    house.receipt(A, *upstream_ids)
    house.commit()
    assert told(house) == [("receipt", DELIVERED)]


def test_cancelled_before_it_left_is_rejected() -> None:
    house = House()
    id_ = admit(house, ALL, due_ms=house.now_ms + 60_000)
    house.commands.drop(id_)
    house.commit()
    assert told(house) == [("rejected", State.DELETED)]


def test_without_a_style_registered_delivery_decides() -> None:
    house = House()
    house.admit(draft_to(callback_url=URL, registered_delivery=1))
    house.receipt(A, *house.accept_all(A))
    house.commit()
    assert told(house) == [("receipt", DELIVERED)]
    assert house.parked(MAILBOX)[0].outlet == ""


@pytest.mark.parametrize(
    ("url", "mailbox"),
    [
        (None, "demo"),
        ("https://u:p@shop.example:8443/x?y", "callback:https://shop.example:8443"),
        ("queue:delivery-report", "queue:delivery-report"),
    ],
)
def test_a_mailbox_for_each_host_and_queue(url: str | None, mailbox: str) -> None:
    assert mailbox_for("demo", url) == mailbox


def test_the_bits_are_those_of_kannel() -> None:
    assert [event.value for event in CallbackEvent] == [1, 2, 4, 8, 16, 32]


def test_words_of_a_style_are_parked_for_its_callback() -> None:
    house = House()
    words = b"status=1&text=" + b"x" * 1000
    batch = house.store.batch()
    told = house.receipts.callbacks.told(
        batch, [Telling(AccountId("demo"), URL, "mask:0", words), Telling(AccountId("demo"), URL, "mask:0", b"")]
    )  # fmt: skip
    house.store.commit_nowait(batch)
    house.commit()
    assert [one.id for one in house.parked(MAILBOX)] == [one.id for one in told]
    first, second = house.parked(MAILBOX)
    assert (first.kind, first.callback_url, first.callback_style) == ("told", URL, "mask:0")
    assert [read_body(one.body).data for one in (first, second)] == [words, b""]
