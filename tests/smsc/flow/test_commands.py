"""What a client may ask of its stored messages: query, cancel, replace; and what waits at all."""

from typing import Any

import pytest

from pdu.codec import decode, peek_deliver_sm
from pdu.commands import Command
from pdu.message_pdus import SubmitSm
from pdu.status import Status
from pdu.tlvs import Tag
from routing.actions import Do
from routing.rule import Rule
from routing.when import When
from smsc.flow.rewriting import Change
from smsc.message import NEW_BATCH, AccountId, Message, MessageId, State
from smsc.ports import Refused, Sent, TryLater
from smsc.store.ids import STEP
from tests.flow.house import DEMO, START_MS, A, B, FakeOutlet, House, draft_to

OTHER = AccountId("other")
TO = "4179000001"
HOUR_MS = 3600 * 1000
IN_AN_HOUR = "000000010000000R"
IN_TWO_HOURS = "000000020000000R"


def down() -> House:
    """A house whose networks are away, so that messages wait."""
    house = House()
    for outlet in house.outlets.values():
        outlet.is_up = False
    return house


def up(house: House) -> list[MessageId]:
    """The networks come back; what they are given."""
    for outlet in house.outlets.values():
        outlet.is_up = True
    house.dispatch.pump_all()
    return [one.message.id for outlet in house.outlets.values() for one in outlet.taken]


def cancel(house: House, id_: object, **where: Any) -> int:
    counts: list[int] = []
    facts = {"account": DEMO, "source_addr": "Shop", "destination_addr": ""} | where
    house.commands.cancel(
        facts["account"],
        str(id_),
        facts["source_addr"],
        facts["destination_addr"],
        counts.append,
    )
    house.commit()
    return counts[0]


def cancel_all(house: House, to: str = TO, service_type: str = "", source: str = "Shop") -> int:
    counts: list[int] = []
    house.commands.cancel_all(DEMO, source, to, service_type, counts.append)
    house.commit()
    return counts[0]


def replace(house: House, id_: object, source: str = "Shop", **change: Any) -> int:
    answers: list[Refused | None] = []
    house.commands.replace(DEMO, str(id_), source, Change(**change), answers.append)
    house.commit()
    return answers[0].status if answers[0] is not None else 0


def message(house: House, id_: MessageId) -> Message:
    found = house.store.message(id_)
    assert found is not None
    return found


def submit_sm(found: Message) -> SubmitSm:
    pdu = decode(Command.SUBMIT_SM, found.body)
    assert isinstance(pdu, SubmitSm)
    return pdu


REWRITES = Rule(do=Do(sender="Other", to_prefix=("4179", "4378")), outlets=("a",))


class TestRewritten:
    """A client names its messages by the addresses that it gave them."""

    def test_they_are_seen_and_changed_by_their_own_addresses(self) -> None:
        house = House(outlets=[FakeOutlet(A, is_up=False)], rules=(REWRITES,))
        first, second = house.admit(draft_to(), draft_to())
        assert message(house, first).peek.source_addr == "Other"
        assert len(house.commands.query(DEMO, str(first), "Shop")) == 1
        assert house.commands.query(DEMO, str(first), "Other") == []
        assert replace(house, first, short_message=b"new") == 0
        assert cancel(house, first, destination_addr="4378000001") == 0
        assert cancel(house, first, destination_addr=TO) == 1
        assert cancel_all(house, "4378000001", source="Other") == 0
        assert cancel_all(house) == 1
        assert house.state(second) is State.DELETED
        assert not house.dispatch.pending

    def test_a_newer_one_replaces_an_older_one(self) -> None:
        house = House(outlets=[FakeOutlet(A, is_up=False)], rules=(REWRITES,))
        (old,) = house.admit(draft_to())
        house.admit(draft_to(replace_if_present_flag=1))
        house.commit()
        assert house.state(old) is State.DELETED

    def test_their_receipts_have_them(self) -> None:
        house = House(rules=(REWRITES,))
        house.admit(draft_to())
        house.receipt(A, *house.accept_all(A))
        house.commit()
        (receipt,) = house.parked()
        peek = peek_deliver_sm(receipt.body)
        assert (peek.source_addr, peek.destination_addr) == (TO, "Shop")


class TestNationalNumbers:
    """Stored in E.164, named as the account writes them."""

    SHORT, LONG = "0791111111", "41791111111"

    def house(self) -> House:
        house = down()
        read = {self.SHORT: self.LONG, "079": TO}
        house.commands.number_reader = lambda _: lambda addr: read.get(addr, addr)
        return house

    def test_each_spelling_names_the_message(self) -> None:
        house = self.house()
        ids = house.admit(*[draft_to(source_addr=self.LONG)] * 4)
        for source in (self.SHORT, self.LONG):
            assert len(house.commands.query(DEMO, str(ids[0]), source)) == 1
        assert cancel(house, ids[0], source_addr=self.SHORT, destination_addr="079") == 1
        assert cancel(house, ids[1], source_addr=self.LONG, destination_addr="078") == 0
        assert cancel_all(house, "079", source=self.SHORT) == 3


class TestQuery:
    def test_only_its_owner_sees_a_message(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        (report,) = house.commands.query(DEMO, str(id_), "Shop")
        assert (report.message.id, report.progress.state) == (id_, State.QUEUED)
        for account, message_id, source in (
            (OTHER, str(id_), "Shop"),
            (DEMO, str(id_), "Bank"),
            (DEMO, str(id_ + STEP), "Shop"),
            (DEMO, "", "Shop"),
            (DEMO, "0", "Shop"),
            (DEMO, "9" * 40, "Shop"),
            (DEMO, "١", "Shop"),
            (DEMO, f"{id_:x}", "Shop"),
        ):
            assert house.commands.query(account, message_id, source) == []

    def test_the_id_of_a_batch_means_all_of_it(self) -> None:
        house = House()
        before, *_ = house.admit(draft_to())
        drafts = [draft_to(to, batch=NEW_BATCH) for to in (TO, "99", "4479000001", "4179000002")]
        house.submit(*drafts)
        house.commit()
        house.admit(draft_to())
        first = MessageId(before + STEP)
        reports = house.commands.query(DEMO, str(first), "Shop")
        assert [one.message.peek.destination_addr for one in reports] == [
            TO,
            "4479000001",
            "4179000002",
        ]
        assert {one.message.batch for one in reports} == {first}
        second = str(reports[1].message.id)
        assert len(house.commands.query(DEMO, second, "Shop")) == 1


class TestCancel:
    @pytest.mark.parametrize("wishes", [{}, {"schedule_delivery_time": IN_AN_HOUR}])
    def test_what_waits_ends_as_deleted_with_its_receipt_and_never_leaves(
        self, wishes: dict[str, str]
    ) -> None:
        house = down()
        (id_,) = house.admit(draft_to(**wishes))
        assert cancel(house, id_) == 1
        assert house.state(id_) is State.DELETED
        assert [(one.message_id, one.state) for one in house.parked()] == [(id_, State.DELETED)]
        assert up(house) == []
        house.advance(7200)
        assert up(house) == []
        assert cancel(house, id_) == 0
        assert not house.dispatch.pending

    def test_it_is_answered_when_it_is_on_disk(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        counts: list[int] = []
        house.commands.cancel(DEMO, str(id_), "Shop", "", counts.append)
        assert counts == []
        assert house.on_disk()[id_].state is State.QUEUED
        house.commit()
        assert counts == [1]
        assert house.on_disk()[id_].state is State.DELETED

    def test_what_a_network_has_is_not_cancelled(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        assert cancel(house, id_) == 0
        house.accept_all(A)
        assert cancel(house, id_) == 0
        assert house.state(id_) is State.ENROUTE

    def test_what_left_in_part_is_not_cancelled(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000002"))
        house.outlets[B].is_up = False
        house.settle(A, TryLater(id_, 8, 0, 2), *house_sent(house, id_))
        assert house.progress(id_).due_ms
        assert cancel(house, id_) == 0

    def test_what_waits_for_another_try_is_cancelled(self) -> None:
        house = House(outlets=[FakeOutlet(A)])
        (id_,) = house.admit(draft_to("4479000001"))
        house.outlets[A].take_back()
        house.settle(A, TryLater(id_, 8))
        house.commit()
        assert cancel(house, id_) == 1
        house.advance(3600)
        assert len(house.outlets[A].taken) == 1

    @pytest.mark.parametrize(
        "where",
        [
            {"account": OTHER},
            {"source_addr": "Bank"},
            {"source_addr": ""},
            {"destination_addr": "4179000002"},
        ],
    )
    def test_what_does_not_fit_is_not_cancelled(self, where: dict[str, Any]) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert cancel(house, id_, **where) == 0
        assert cancel(house, id_, destination_addr=TO) == 1

    def test_a_batch_is_cancelled_as_far_as_it_waits(self) -> None:
        house = House(outlets=[FakeOutlet(A, window=1), FakeOutlet(B, is_up=False)])
        ids = house.admit(*[draft_to(batch=NEW_BATCH)] * 3)
        assert cancel(house, ids[0]) == 2
        assert [house.state(id_) for id_ in ids] == [State.QUEUED, State.DELETED, State.DELETED]

    def test_all_between_two_addresses(self) -> None:
        house = down()
        fit = house.admit(draft_to(), draft_to(schedule_delivery_time=IN_AN_HOUR))
        wap = house.admit(draft_to(service_type="WAP"))
        others = house.admit(draft_to("4179000002"), draft_to(account=OTHER))
        assert cancel_all(house, service_type="CMT") == 0
        assert cancel_all(house, service_type="WAP") == 1
        assert cancel_all(house, source="Bank") == 0
        assert cancel_all(house) == 2
        assert cancel_all(house) == 0
        assert [house.state(id_) for id_ in (*fit, *wap)] == [State.DELETED] * 3
        assert up(house) == others

    def test_very_many_are_cancelled_some_at_a_time(self) -> None:
        house = down()
        house.admit(*[draft_to()] * 1100)
        counts: list[int] = []
        house.commands.cancel_all(DEMO, "Shop", TO, "", counts.append)
        house.store.retry()
        states = [one.state for one in house.on_disk().values()]
        assert states.count(State.DELETED) == 500
        house.commit()
        assert counts == [1100]
        assert up(house) == []

    def test_very_many_of_a_batch_have_one_id(self) -> None:
        house = down()
        ids = house.admit(*[draft_to(batch=NEW_BATCH)] * 1001, draft_to())
        assert cancel(house, ids[0]) == 1001
        assert up(house) == ids[1001:]

    def test_who_leaves_the_source_out_means_the_default_sender(self) -> None:
        house = House(default_sender="Shop")
        for outlet in house.outlets.values():
            outlet.is_up = False
        first, second = house.admit(draft_to(), draft_to())
        assert len(house.commands.query(DEMO, str(first), "")) == 1
        assert cancel(house, first, source_addr="") == 1
        assert cancel_all(house, source="") == 1
        assert house.state(second) is State.DELETED

    def test_all_between_two_addresses_after_a_restart(self) -> None:
        house = down()
        house.admit(draft_to(), draft_to(schedule_delivery_time=IN_AN_HOUR))
        house.restart()
        assert cancel_all(house) == 2


def house_sent(house: House, id_: MessageId) -> list[Any]:
    """The second of two parts was taken."""
    house.outlets[A].take_back()
    return [Sent(id_, "x", 1, 2)]


class TestReplaceIfPresent:
    def test_the_older_one_that_waits_is_deleted(self) -> None:
        house = down()
        old, other = house.admit(draft_to(), draft_to("4179000002"))
        service, new = house.admit(
            draft_to(service_type="WAP"), draft_to(replace_if_present_flag=1)
        )
        assert house.state(old) is State.DELETED
        assert up(house) == [other, service, new]

    def test_pipelined_only_the_last_one_leaves(self) -> None:
        house = down()
        ids = house.admit(*[draft_to(replace_if_present_flag=1)] * 3)
        (last,) = house.admit(draft_to(replace_if_present_flag=1))
        assert [house.state(id_) for id_ in ids] == [State.DELETED] * 3
        assert house.dispatch.pending.find(DEMO, "Shop", TO) == [last]
        assert up(house) == [last]
        assert not house.dispatch.pending

    def test_with_a_network_that_takes_at_once_it_is_a_message_like_any_other(self) -> None:
        house = House()
        first, second = house.admit(draft_to(), draft_to())
        (third,) = house.admit(draft_to(replace_if_present_flag=1))
        assert [one.message.id for one in house.outlets[A].taken] == [first, second, third]
        assert not house.dispatch.pending

    def test_a_crash_between_the_two_commits_is_made_good(self) -> None:
        house = down()
        (old,) = house.admit(draft_to())
        house.submit(draft_to(replace_if_present_flag=1))
        house.restart(committed=1)
        house.commit()
        assert house.state(old) is State.DELETED
        assert len(up(house)) == 1


class TestReplace:
    def test_rules_are_asked_again_about_the_new_text_as_the_client_wrote_it(self) -> None:
        rule = Rule(when=When(text="^new$"), do=Do(footer=" STOP"), outlets=("a",))
        first = Rule(when=When(text="^old$"), do=Do(footer=" STOP"), outlets=("b",))
        house = House(
            outlets=[FakeOutlet(A, is_up=False), FakeOutlet(B, is_up=False)], rules=(rule, first)
        )
        (id_,) = house.admit(draft_to(short_message=b"old"))
        assert submit_sm(message(house, id_)).short_message == b"old STOP"
        assert replace(house, id_, short_message=b"new") == 0
        asked = message(house, id_).asked
        assert asked is not None
        assert decode(Command.SUBMIT_SM, asked.body).short_message == b"new"  # type: ignore[attr-defined]
        house.restart()
        house.outlets[B].is_up = house.outlets[A].is_up = True
        house.dispatch.pump_all()
        assert not house.outlets[B].taken
        assert [one.message.id for one in house.outlets[A].taken] == [id_]

    def test_text_and_receipt_wish_change_and_the_rest_stays(self) -> None:
        house = down()
        (id_,) = house.admit(
            draft_to(data_coding=3, priority_flag=2, protocol_id=5, service_type="WAP")
        )
        before = message(house, id_)
        assert replace(house, id_, short_message=b"new", registered_delivery=0) == 0
        found = message(house, id_)
        pdu = submit_sm(found)
        assert (pdu.short_message, pdu.registered_delivery) == (b"new", 0)
        assert (pdu.data_coding, pdu.priority_flag, pdu.protocol_id) == (3, 2, 5)
        assert (pdu.service_type, pdu.destination_addr) == ("WAP", TO)
        assert (found.registered_delivery, found.priority) == (0, 2)
        assert (found.expires_ms, found.accepted_ms) == (before.expires_ms, START_MS)
        assert up(house) == [id_]
        (taken,) = house.outlets[A].taken
        assert taken.message.body == found.body, "what leaves is what it was changed to"
        house.accept_all(A)
        house.receipt(A, f"{id_}.0")
        house.commit()
        assert house.parked() == []

    def test_it_is_answered_when_it_is_on_disk_and_survives(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        answers: list[Refused | None] = []
        house.commands.replace(DEMO, str(id_), "Shop", Change(short_message=b"new"), answers.append)
        assert answers == []
        house.commit()
        assert answers == [None]
        house.restart()
        assert submit_sm(message(house, id_)).short_message == b"new"
        assert up(house) == [id_]

    def test_no_text_keeps_the_text(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert replace(house, id_, registered_delivery=2) == 0
        assert submit_sm(message(house, id_)).short_message == b"hello"

    def test_a_payload_takes_the_place_of_the_text_and_back(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert replace(house, id_, message_payload=b"x" * 300) == 0
        pdu = submit_sm(message(house, id_))
        assert (pdu.short_message, pdu.tlvs) == (
            b"",
            ((int(Tag.MESSAGE_PAYLOAD), b"x" * 300),),
        )
        assert replace(house, id_, short_message=b"short") == 0
        pdu = submit_sm(message(house, id_))
        assert (pdu.short_message, pdu.tlvs) == (b"short", ())
        assert replace(house, id_, short_message=b"a", message_payload=b"b") == (
            Status.ESME_RINVMSGLEN
        )

    def test_a_canned_text(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert replace(house, id_, sm_default_msg_id=2) == 0
        pdu = submit_sm(message(house, id_))
        assert pdu.short_message == "Готово".encode("utf-16-be")
        assert (pdu.data_coding, pdu.sm_default_msg_id) == (8, 0)
        assert replace(house, id_, sm_default_msg_id=9) == Status.ESME_RINVDFTMSGID

    def test_a_schedule_moves_both_ways(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert replace(house, id_, schedule_delivery_time=IN_TWO_HOURS) == 0
        assert (house.state(id_), house.progress(id_).due_ms) == (
            State.SCHEDULED,
            START_MS + 2 * HOUR_MS,
        )
        assert up(house) == []
        assert replace(house, id_, schedule_delivery_time=IN_AN_HOUR) == 0
        house.advance(3590)
        assert up(house) == []
        house.advance(11)
        assert up(house) == [id_]

    def test_a_schedule_that_rings_leaves_the_alarm_of_the_others_of_its_read(self) -> None:
        house = down()
        first, second = house.admit(draft_to(), draft_to())
        end_ms = message(house, second).expires_ms
        assert replace(house, first, schedule_delivery_time=IN_AN_HOUR) == 0
        house.advance(3601)  # it rings: the first one gets an alarm of its own for its end
        house.commit()
        alarms = house.store.due(end_ms + 10, 100)
        assert any(one.first <= second <= one.last for one in alarms)
        house.advance((end_ms - START_MS) // 1000 - 3600)
        house.commit()
        assert house.state(second) is State.EXPIRED

    def test_a_schedule_beyond_an_end_that_nobody_named_moves_the_end(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        end_ms = message(house, id_).expires_ms
        assert replace(house, id_, schedule_delivery_time=IN_AN_HOUR) == 0
        assert message(house, id_).expires_ms == end_ms
        assert replace(house, id_, schedule_delivery_time="000002000000000R") == 0
        assert message(house, id_).expires_ms > end_ms
        (named,) = house.admit(draft_to(validity_period=IN_AN_HOUR))
        assert replace(house, named, schedule_delivery_time=IN_TWO_HOURS) == (
            Status.ESME_RINVEXPIRY
        )

    def test_a_schedule_in_the_past_sends_it_now(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to(schedule_delivery_time=IN_AN_HOUR))
        assert replace(house, id_, schedule_delivery_time="200101000000000+") == 0
        assert [one.message.id for one in house.outlets[A].taken] == [id_]

    def test_a_schedule_survives_a_change_of_the_text(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to(schedule_delivery_time=IN_AN_HOUR))
        house.advance(1800)
        assert replace(house, id_, short_message=b"new") == 0
        assert house.progress(id_).due_ms == START_MS + HOUR_MS
        house.advance(1801)
        assert [one.message.id for one in house.outlets[A].taken] == [id_]

    def test_neighbours_of_one_alarm_are_all_woken(self) -> None:
        """The accept set one alarm for both; a change of the first must leave it to the second."""
        house = House()
        ids = house.admit(*[draft_to(schedule_delivery_time="260922000000000+")] * 2)
        house.now_ms = house.progress(ids[0]).due_ms - HOUR_MS
        for time in ("260923000000000+", "260922000000000+"):
            assert replace(house, ids[0], schedule_delivery_time=time) == 0
        house.advance(3601)
        assert sorted(one.message.id for one in house.outlets[A].taken) == ids

    @pytest.mark.parametrize(("validity", "hours"), [(IN_AN_HOUR, 1), (IN_TWO_HOURS, 2)])
    def test_a_validity_ends_the_message_earlier_or_later(self, validity: str, hours: int) -> None:
        house = down()
        (id_,) = house.admit(draft_to(validity_period="000000013000000R"))
        assert replace(house, id_, validity_period=validity) == 0
        assert message(house, id_).expires_ms == START_MS + hours * HOUR_MS
        house.advance(hours * 3600 - 1)
        assert house.state(id_) is State.QUEUED
        house.advance(2)
        assert house.state(id_) is State.EXPIRED

    def test_a_relative_validity_does_not_start_anew(self) -> None:
        house = down()
        ttl = (int(Tag.QOS_TIME_TO_LIVE), (7200).to_bytes(4, "big"))
        ids = house.admit(draft_to(validity_period=IN_TWO_HOURS), draft_to(tlvs=(ttl,)))
        house.advance(3600)
        for id_ in ids:
            assert replace(house, id_, short_message=b"new") == 0
            found = message(house, id_)
            assert found.expires_ms == START_MS + 2 * HOUR_MS
            assert submit_sm(found).tlvs == ()
            assert submit_sm(found).validity_period.endswith("+")

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"validity_period": "200101000000000+"}, Status.ESME_RINVEXPIRY),
            ({"schedule_delivery_time": "269999000000000+"}, Status.ESME_RINVSCHED),
        ],
    )
    def test_bad_times_change_nothing(self, change: dict[str, str], status: int) -> None:
        house = down()
        (id_,) = house.admit(draft_to())
        assert replace(house, id_, short_message=b"new", **change) == status
        assert submit_sm(message(house, id_)).short_message == b"hello"

    def test_what_does_not_wait_is_not_replaced(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        fail = Status.ESME_RREPLACEFAIL
        assert replace(house, id_, short_message=b"new") == fail
        house.accept_all(A)
        assert replace(house, id_, short_message=b"new") == fail
        assert replace(house, "nope", short_message=b"new") == fail
        away = down()
        (waits,) = away.admit(draft_to())
        assert replace(away, waits, source="Bank", short_message=b"new") == fail

    def test_what_has_reached_its_end_is_not_replaced(self) -> None:
        house = down()
        (id_,) = house.admit(draft_to(validity_period=IN_AN_HOUR))
        house.now_ms += HOUR_MS
        assert replace(house, id_, schedule_delivery_time=IN_AN_HOUR) == Status.ESME_RREPLACEFAIL

    def test_a_batch_is_not_replaced(self) -> None:
        house = down()
        first, _ = house.admit(*[draft_to(batch=NEW_BATCH)] * 2)
        assert replace(house, first, short_message=b"new") == Status.ESME_RREPLACEFAIL


class TestModes:
    @pytest.mark.parametrize("mode", [1, 2])
    def test_one_attempt_and_then_the_end(self, mode: int) -> None:
        house = House()
        (id_,) = house.admit(draft_to(esm_class=mode))
        assert house.state(id_) is State.QUEUED, "stored like any other"
        house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 0x58))
        house.commit()
        assert house.state(id_) is State.UNDELIVERABLE
        assert house.progress(id_).error == 0x58
        assert [one.state for one in house.parked()] == [State.UNDELIVERABLE]
        assert not house.outlets[B].taken

    @pytest.mark.parametrize("mode", [0, 3])
    def test_store_and_forward_goes_on(self, mode: int) -> None:
        house = House()
        (id_,) = house.admit(draft_to(esm_class=mode))
        house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 0x58))
        assert [one.message.id for one in house.outlets[B].taken] == [id_]


class TestCannedTexts:
    def test_the_text_and_its_coding_are_ours(self) -> None:
        house = House()
        house.admit(draft_to(sm_default_msg_id=2, data_coding=3, short_message=b""))
        pdu = submit_sm(house.outlets[A].taken[0].message)
        assert pdu.short_message == "Готово".encode("utf-16-be")
        assert (pdu.data_coding, pdu.sm_default_msg_id) == (8, 0)

    def test_an_unknown_number_is_refused(self) -> None:
        house = House()
        (answer,) = house.submit(draft_to(sm_default_msg_id=7))
        assert isinstance(answer, Refused)
        assert answer.status == Status.ESME_RINVDFTMSGID
        assert house.on_disk() == {}


class TestNotices:
    def test_the_first_sign_that_it_is_on_its_way_and_no_other(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to(registered_delivery=0x11))
        house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 0x58))
        house.commit()
        (notice,) = house.parked()
        assert (notice.kind, notice.state, notice.message_id) == ("notice", State.ENROUTE, id_)
        assert b"stat:ENROUTE err:088" in notice.body
        assert notice.body[notice.body.index(b"Shop") + 5] == 0x20
        house.accept_all(B)
        house.receipt(B, f"{id_}.0")
        house.commit()
        assert [one.kind for one in house.parked()] == ["notice", "receipt"]

    def test_taken_by_the_network_is_such_a_sign(self) -> None:
        house = House()
        house.admit(draft_to(registered_delivery=0x10), draft_to(registered_delivery=0))
        house.accept_all(A)
        assert [one.kind for one in house.parked()] == ["notice"]

    def test_a_callback_is_not_told(self) -> None:
        house = House()
        house.admit(draft_to(registered_delivery=0x10, callback_url="http://127.0.0.1/"))
        house.accept_all(A)
        assert house.store.mailboxes() == []


def test_receipts_of_a_batch_carry_its_id() -> None:
    house = House()
    ids = house.admit(*[draft_to(batch=NEW_BATCH)] * 2)
    for upstream_id in house.accept_all(A):
        house.receipt(A, upstream_id)
    house.commit()
    receipts = house.parked()
    assert [one.message_id for one in receipts] == ids
    for receipt in receipts:
        assert receipt.body.count(b"%d" % ids[0]) == 2
