"""Deliveries that a receiver gave up on: kept apart, counted, asked back."""

import pytest

from smsc.callback_desk import CallbackDesk
from smsc.flow import set_aside
from smsc.message import Mailbox, MessageId
from smsc.ports import Done, SetAside
from tests.flow.house import FakeReceiver, House
from tests.smsc.flow.test_mailboxes import attach, got, park

BOX = Mailbox("callback:http://shop.example:80")
ASIDE = Mailbox("aside:" + BOX)


def set_all_aside(house: House, receiver: FakeReceiver) -> None:
    outcomes = [SetAside(one.id, "HTTP 410") for one in receiver.in_hand]
    receiver.in_hand.clear()
    house.mailboxes.delivered(BOX, outcomes)
    house.commit()


def come_back(house: House) -> None:
    house.mailboxes.tick()
    house.commit()


def test_it_lies_apart_on_disk_and_is_offered_to_nobody() -> None:
    house = House()
    receiver = attach(house, mailbox=BOX)
    ids = park(house, 3, BOX)
    set_all_aside(house, receiver)
    come_back(house)
    assert got(receiver) == ids
    assert house.store.mailboxes() == [ASIDE]
    assert house.mailboxes.asides.counts() == {BOX: 3}
    assert house.mailboxes.in_hand == 0


def test_asked_back_it_is_offered_again_with_its_own_id() -> None:
    house = House()
    receiver = attach(house, mailbox=BOX)
    ids = park(house, 3, BOX)
    set_all_aside(house, receiver)
    assert house.mailboxes.asides.ask_back([BOX, Mailbox("callback:http://other")]) == 3
    come_back(house)
    assert got(receiver) == ids + ids
    assert house.store.mailboxes() == [BOX]
    assert house.mailboxes.asides.counts() == {}
    house.mailboxes.delivered(BOX, [Done(MessageId(id_)) for id_ in ids])
    house.commit()
    assert house.store.mailboxes() == []
    come_back(house)
    assert got(receiver) == ids + ids


@pytest.mark.parametrize("total", [1, 7, 20])
def test_many_come_back_a_little_at_a_time_each_once(
    monkeypatch: pytest.MonkeyPatch, total: int
) -> None:
    monkeypatch.setattr(set_aside, "_CHUNK", 3)
    house = House()
    receiver = attach(house, window=100, mailbox=BOX)
    ids = park(house, total, BOX)
    set_all_aside(house, receiver)
    house.mailboxes.asides.ask_back([BOX])
    for _ in range(total):
        come_back(house)
    assert sorted(got(receiver)[total:]) == ids
    assert house.mailboxes.asides.asked_back() == ()


def test_new_deliveries_meanwhile_arrive_once_too() -> None:
    house = House()
    receiver = attach(house, window=100, mailbox=BOX)
    ids = park(house, 3, BOX)
    set_all_aside(house, receiver)
    house.mailboxes.asides.ask_back([BOX])
    house.mailboxes.tick()  # not on disk yet
    more = park(house, 2, BOX)
    come_back(house)
    assert sorted(got(receiver)) == sorted(ids * 2 + more)


def test_after_a_restart_it_is_counted_and_a_bridge_is_called_for_it() -> None:
    house = House()
    set_all_aside_of = attach(house, mailbox=BOX)
    ids = park(house, 2, BOX)
    set_all_aside(house, set_all_aside_of)
    house.restart()
    house.mailboxes.asides.restore()
    assert house.mailboxes.asides.counts() == {BOX: 2}
    receiver = FakeReceiver()

    def attend(mailbox: Mailbox) -> None:
        house.mailboxes.attach(mailbox, receiver)

    house.mailboxes.unattended = attend
    house.mailboxes.asides.ask_back([BOX])
    come_back(house)
    come_back(house)
    assert got(receiver) == ids


def test_what_is_never_asked_back_is_forgotten_when_it_expires() -> None:
    house = House()
    receiver = attach(house, mailbox=BOX)
    park(house, 2, BOX, keep_s=60)
    set_all_aside(house, receiver)
    house.now_ms += 61_000
    house.mailboxes.forget_old()
    house.commit()
    assert house.mailboxes.asides.counts() == {}
    assert house.store.mailboxes() == []


class FakeBridge:
    def __init__(self) -> None:
        self.forgiven: list[str] = []
        self.opened: list[str] = []

    def open(self, mailbox: Mailbox) -> None:
        self.opened.append(mailbox)

    async def run(self) -> None:
        raise AssertionError

    def statistics(self) -> dict[str, dict[str, object]]:
        return {"callback:https://a.example:8443": {"failures": 3}}

    def forgive(self, mailbox: Mailbox) -> None:
        self.forgiven.append(mailbox)


class TestDesk:
    def desk(self, house: House) -> tuple[CallbackDesk, FakeBridge]:
        bridge = FakeBridge()
        return CallbackDesk(house.mailboxes, {"callback:": bridge}), bridge

    def test_the_report_has_trouble_and_what_was_given_up_on(self) -> None:
        house = House()
        receiver = attach(house, mailbox=BOX)
        park(house, 2, BOX)
        set_all_aside(house, receiver)
        desk, _ = self.desk(house)
        assert desk.report() == {
            "callback:https://a.example:8443": {"failures": 3},
            BOX: {"set_aside": 2},
        }

    def test_health_tells_only_what_is_wrong_and_not_all_of_it(self) -> None:
        house = House()
        desk, bridge = self.desk(house)
        rows: dict[str, dict[str, object]] = {
            f"callback:http://h{number}": {"last_failure": "HTTP 500" if number else ""}
            for number in range(6)
        }
        bridge.statistics = lambda: rows  # type: ignore[method-assign]
        trouble = desk.trouble(limit=2)
        assert (trouble["mailboxes"], trouble["in_trouble"]) == (6, 5)
        assert list(trouble["first"]) == ["callback:http://h1", "callback:http://h2"]  # type: ignore[call-overload]

    @pytest.mark.parametrize(
        "host", ["", BOX, "http://shop.example:80", "shop.example:80", "shop.example"]
    )
    def test_a_host_is_asked_back_by_any_of_its_names(self, host: str) -> None:
        house = House()
        receiver = attach(house, mailbox=BOX)
        park(house, 2, BOX)
        set_all_aside(house, receiver)
        desk, bridge = self.desk(house)
        assert desk.retry(host) == 2
        assert BOX in bridge.forgiven
        assert (len(bridge.forgiven) == 2) == (host == "")

    @pytest.mark.parametrize("host", ["example", "shop.example:81", "a.example:8443x"])
    def test_another_host_is_left_alone(self, host: str) -> None:
        house = House()
        receiver = attach(house, mailbox=BOX)
        park(house, 2, BOX)
        set_all_aside(house, receiver)
        desk, bridge = self.desk(house)
        assert desk.retry(host) == 0
        assert bridge.forgiven == []

    def test_only_mailboxes_of_a_bridge_are_attended(self) -> None:
        desk, bridge = self.desk(House())
        for mailbox in (BOX, Mailbox("demo"), ASIDE, Mailbox("queue:x")):
            desk.attend(mailbox)
        assert bridge.opened == [BOX]
