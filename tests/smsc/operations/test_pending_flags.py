"""Delivery pending flags: an alert when a handset is back, once, to who asked."""

from typing import Any

import pytest

from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.message_pdus import DeliverSm
from pdu.session_pdus import AlertNotification
from pdu.tlvs import Tag
from smsc.message import AccountId, State
from smsc.operations import pending_flags
from smsc.operations.pending_flags import PendingFlags
from tests.flow.house import A, House, draft_to

SET = ((int(Tag.SET_DPF), b"\1"),)
UNSET = ((int(Tag.SET_DPF), b"\0"),)


class Street:
    """A house whose ends of messages and numbers heard of are told to the flags."""

    def __init__(self) -> None:
        self.house = House()
        self.alerts: list[tuple[str, Any]] = []
        self.flags = PendingFlags(
            lambda account, body: self.alerts.append(
                (account, decode(Command.ALERT_NOTIFICATION, body))
            )
        )
        self.house.finals.heard = self.flags.ended
        self.house.inbound.heard_from = self.flags.seen

    def send(self, state: State, to: str = "4179000001", **wishes: Any) -> None:
        (id_,) = self.house.admit(draft_to(to, **wishes))
        self.house.accept_all(A)
        self.house.receipt(A, f"{id_}.0", state=state)
        self.house.commit()


@pytest.mark.parametrize("state", [State.UNDELIVERABLE, State.EXPIRED])
def test_a_later_delivery_shows_that_the_handset_is_back(state: State) -> None:
    street = Street()
    street.send(state, tlvs=SET, dest_addr_ton=1, dest_addr_npi=1, source_addr_ton=5)
    assert (street.alerts, len(street.flags)) == ([], 1)
    street.send(State.DELIVERED, to="4179000011")
    assert street.alerts == []
    street.send(State.DELIVERED, account=AccountId("other"))
    assert street.alerts == [
        (
            "demo",
            AlertNotification(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr="4179000001",
                esme_addr_ton=5,
                esme_addr="Shop",
                tlvs=((int(Tag.MS_AVAILABILITY_STATUS), b"\0"),),
            ),
        )
    ]
    street.send(State.DELIVERED)
    assert len(street.alerts) == 1


def test_a_message_from_the_handset_shows_it_too() -> None:
    street = Street()
    street.send(State.UNDELIVERABLE, tlvs=SET)
    street.house.mobile_originated(
        encode_body(DeliverSm(source_addr="+4179000001", destination_addr="12345"))
    )
    assert [account for account, _ in street.alerts] == ["demo"]


def test_everybody_who_asked_is_told_once() -> None:
    street = Street()
    for _ in range(2):
        street.send(State.UNDELIVERABLE, tlvs=SET)
    street.send(State.UNDELIVERABLE, tlvs=SET, account=AccountId("other"))
    street.flags.seen("4179000001")
    assert sorted(account for account, _ in street.alerts) == ["demo", "other"]


@pytest.mark.parametrize(
    ("state", "tlvs"),
    [
        (State.UNDELIVERABLE, ()),
        (State.UNDELIVERABLE, UNSET),
        (State.REJECTED, SET),
        (State.DELIVERED, SET),
    ],
)
def test_no_flag_without_a_wish_and_an_absent_handset(state: State, tlvs: Any) -> None:
    street = Street()
    street.send(state, tlvs=tlvs)
    assert len(street.flags) == 0


def test_there_is_a_bound_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_flags, "_LIMIT", 2)
    street = Street()
    for last in "123":
        street.send(State.UNDELIVERABLE, to=f"417900{last}1", tlvs=SET)
    for last in "123":
        street.flags.seen(f"417900{last}1")
    assert [alert.source_addr for _, alert in street.alerts] == ["41790021", "41790031"]
