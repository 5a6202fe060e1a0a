"""Requests that are no messages: each gets one answer, in the form of its version."""

from collections.abc import Container
from datetime import UTC, datetime
from typing import Any

import pytest

from pdu.address import Address
from pdu.broadcast_pdus import BroadcastSm, CancelBroadcastSm, QueryBroadcastSm
from pdu.codec import decode
from pdu.commands import RESPONSE
from pdu.fields import Pdu
from pdu.message_pdus import (
    CancelSm,
    DistributionList,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
)
from pdu.retired_pdus import ParamRetrieve, QueryLastMsgs, QueryMsgDetails, QueryMsgDetailsResp
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.message import AccountId, MessageId, Progress, State
from smsc.operations.desk import Asker, Desk
from smsc.operations.message_states import shown_state
from smsc.ports import Failed
from tests.flow.house import DEMO, START_MS, A, House, draft_to

LISTS = {
    "staff": (Address(1, 1, "4179000001"), Address(1, 1, "4179000011")),
    "mixed": (Address(1, 1, "99"), Address(1, 1, "4179000011")),
}
TLVS = (
    (int(Tag.BROADCAST_AREA_IDENTIFIER), b"\0North"),
    (int(Tag.BROADCAST_CONTENT_TYPE), b"\0\0\x10"),
    (int(Tag.BROADCAST_REP_NUM), b"\0\1"),
    (int(Tag.BROADCAST_FREQUENCY_INTERVAL), b"\x09\0\5"),
)


class Office:
    """A house with a desk."""

    def __init__(self) -> None:
        self.house = House()
        self.desk = Desk(self.house.intake, self.house.commands, LISTS, lambda: self.house.now_ms)

    def ask(self, request: Pdu, version: int = 0x34, account: str = DEMO) -> tuple[int, Any]:
        """The status, and the response as an object, None when its body is empty."""
        answers: list[tuple[int, bytes]] = []
        asker = Asker(AccountId(account), version)
        self.desk.ask(asker, request, lambda *answer: answers.append(answer))
        self.house.commit()
        ((status, body),) = answers
        return status, decode(request.command_id | RESPONSE, body) if body else None

    def down(self) -> None:
        for outlet in self.house.outlets.values():
            outlet.is_up = False


def destinations(*addresses: str) -> tuple[SmeAddress, ...]:
    return tuple(
        SmeAddress(dest_addr_ton=1, dest_addr_npi=1, destination_addr=one) for one in addresses
    )


def multi(*dest_address: SmeAddress | DistributionList, **fields: Any) -> SubmitMulti:
    return SubmitMulti(
        source_addr="Shop", dest_address=dest_address, short_message=b"hello", **fields
    )


class TestSubmitMulti:
    def test_one_id_and_a_message_for_each_destination(self) -> None:
        office = Office()
        wishes = {"priority_flag": 2, "registered_delivery": 1, "data_coding": 3}
        status, response = office.ask(
            multi(*destinations("4179000001", "4379000001"), **wishes, tlvs=((0x0204, b"\0\1"),))
        )
        assert (status, response.unsuccess_sme) == (0, ())
        ids = list(office.house.on_disk())
        assert response.message_id == str(ids[0])
        for id_, to in zip(ids, ("4179000001", "4379000001"), strict=True):
            message = office.house.store.message(id_)
            assert message is not None
            peek = message.peek
            assert (peek.destination_addr, peek.source_addr) == (to, "Shop")
            assert (message.batch, message.priority, message.registered_delivery) == (ids[0], 2, 1)
            assert (peek.data_coding, message.body[peek.tlvs_at :]) == (3, b"\2\4\0\2\0\1")

    def test_who_is_refused_is_named_with_the_reason(self) -> None:
        office = Office()
        status, response = office.ask(
            multi(*destinations("99", "4179000001", "", "Bank"), DistributionList(dl_name="nobody"))
        )
        assert status == 0
        assert [
            (one.destination_addr, one.error_status_code) for one in response.unsuccess_sme
        ] == [
            ("", Status.ESME_RINVDSTADR),
            ("Bank", Status.ESME_RINVDSTADR),
            ("nobody", Status.ESME_RINVDLNAME),
            ("99", Status.ESME_RINVDSTADR),
        ]
        assert [str(id_) for id_ in office.house.on_disk()] == [response.message_id]

    def test_distribution_lists_reach_each_member_once(self) -> None:
        office = Office()
        status, response = office.ask(
            multi(
                DistributionList(dl_name="staff"),
                *destinations("4179000001"),
                DistributionList(dl_name="mixed"),
            )
        )
        assert status == 0
        assert [one.destination_addr for one in response.unsuccess_sme] == ["99"]
        sent = [one.message.peek.destination_addr for one in office.house.outlets[A].taken]
        assert sent == ["4179000001", "4179000011"]

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (multi(DistributionList(dl_name="nobody")), Status.ESME_RINVDLNAME),
            (multi(*destinations("99")), Status.ESME_RINVDSTADR),
            (
                multi(*destinations("99"), DistributionList(dl_name="nobody")),
                Status.ESME_RSUBMITFAIL,
            ),
            (multi(*destinations("4179000001"), sm_default_msg_id=9), Status.ESME_RINVDFTMSGID),
            (
                multi(*destinations("4179000001"), validity_period="200101000000000+"),
                Status.ESME_RINVEXPIRY,
            ),
        ],
    )
    def test_when_nobody_is_taken_the_response_fails(
        self, request_: SubmitMulti, status: int
    ) -> None:
        office = Office()
        assert office.ask(request_) == (status, None)
        assert office.house.on_disk() == {}

    @pytest.mark.parametrize(
        ("count", "version", "status"),
        [
            (254, 0x34, 0),
            (255, 0x34, Status.ESME_RINVNUMDESTS),
            (255, 0x33, Status.ESME_RINVNUMDESTS),
            (255, 0x50, 0),
        ],
    )
    def test_how_many_destinations(self, count: int, version: int, status: int) -> None:
        office = Office()
        request = multi(*destinations(*(f"41{number:09}1" for number in range(count))))
        assert office.ask(request, version)[0] == status
        assert len(office.house.on_disk()) == (0 if status else count)

    def test_one_that_is_refused_does_not_break_the_batch(self) -> None:
        office = Office()
        _, response = office.ask(multi(*destinations("4179000001", "99", "4179000011")))
        query = QuerySm(message_id=response.message_id, source_addr="Shop")
        reports = office.house.commands.query(DEMO, query.message_id, "Shop")
        assert len(reports) == 2

    def test_a_full_store_takes_nobody(self) -> None:
        office = Office()
        office.house.store.why_full = "full"
        assert office.ask(multi(*destinations("4179000001"))) == (Status.ESME_RMSGQFUL, None)


class TestQuery:
    @pytest.mark.parametrize(("version", "state"), [(0x33, 1), (0x34, 1), (0x50, 0)])
    def test_scheduled_is_a_word_of_5_0(self, version: int, state: int) -> None:
        office = Office()
        (id_,) = office.house.admit(draft_to(schedule_delivery_time="000000010000000R"))
        status, response = office.ask(QuerySm(message_id=str(id_), source_addr="Shop"), version)
        assert status == 0
        assert (response.message_id, response.final_date) == (str(id_), "")
        assert response.message_state == state

    def test_queued_is_shown_as_enroute(self) -> None:
        assert shown_state(State.QUEUED, 0x50) == State.ENROUTE
        assert [shown_state(state, 0x34) for state in (State.DELIVERED, State.REJECTED)] == [2, 8]

    def test_the_end_has_its_time_and_its_error(self) -> None:
        office = Office()
        (id_,) = office.house.admit(draft_to())
        office.house.settle(A, Failed(id_, 0x0B))
        office.house.commit()
        _, response = office.ask(QuerySm(message_id=str(id_), source_addr="Shop"))
        ended = datetime.fromtimestamp(START_MS // 1000, UTC)
        assert response == QuerySmResp(
            message_id=str(id_),
            final_date=f"{ended:%y%m%d%H%M%S}000+",
            message_state=State.REJECTED,
            error_code=0x0B,
        )

    @pytest.mark.parametrize("done_ms", [-31_536_000_000, 253_402_300_799_000])
    def test_a_time_that_smpp_cannot_write_is_left_out(self, done_ms: int) -> None:
        office = Office()
        (id_,) = office.house.admit(draft_to())
        office.house.accept_all(A)
        odd = Progress(State.DELIVERED, A, done_ms=done_ms)
        batch = office.house.store.batch()
        batch.progress(id_, odd)
        office.house.store.commit_nowait(batch)
        office.house.commit()
        for request, version in (
            (QuerySm(message_id=str(id_), source_addr="Shop"), 0x34),
            (QueryMsgDetails(message_id=str(id_), source_addr="Shop"), 0x33),
        ):
            status, response = office.ask(request, version)
            assert (status, response.final_date) == (0, "")
            assert response.message_state == State.DELIVERED

    def test_an_error_above_one_octet_is_cut(self) -> None:
        office = Office()
        (id_,) = office.house.admit(draft_to())
        office.house.settle(A, Failed(id_, 0x0400))
        office.house.commit()
        _, response = office.ask(QuerySm(message_id=str(id_), source_addr="Shop"))
        assert response.error_code == 255

    def test_a_batch_is_as_far_as_its_last_message(self) -> None:
        office = Office()
        _, made = office.ask(multi(*destinations("4179000001", "4179000011")))
        first, second = office.house.on_disk()
        query = QuerySm(message_id=made.message_id, source_addr="Shop")
        states = []
        for fate in (first, second):
            upstream_id = f"{fate}.0"
            if fate == first:
                office.house.accept_all(A)
            office.house.receipt(A, upstream_id, state=State.DELIVERED)
            office.house.commit()
            states.append(office.ask(query)[1].message_state)
        assert states == [State.ENROUTE, State.DELIVERED]

    @pytest.mark.parametrize(
        ("message_id", "source", "account", "status"),
        [
            ("nope", "Shop", DEMO, Status.ESME_RQUERYFAIL),
            ("", "Shop", DEMO, Status.ESME_RINVMSGID),
            ("{id}", "Bank", DEMO, Status.ESME_RQUERYFAIL),
            ("{id}", "Shop", "other", Status.ESME_RQUERYFAIL),
        ],
    )
    def test_what_is_not_found(
        self, message_id: str, source: str, account: str, status: int
    ) -> None:
        office = Office()
        (id_,) = office.house.admit(draft_to())
        request = QuerySm(message_id=message_id.format(id=id_), source_addr=source)
        assert office.ask(request, account=account) == (status, None)


class TestCancel:
    def test_by_id_and_by_addresses(self) -> None:
        office = Office()
        office.down()
        ids = office.house.admit(draft_to(), draft_to(), draft_to("4179000002"))
        cancel = CancelSm(message_id=str(ids[0]), source_addr="Shop")
        assert office.ask(cancel) == (0, None)
        assert office.ask(cancel) == (Status.ESME_RCANCELFAIL, None)
        between = CancelSm(source_addr="Shop", destination_addr="4179000001")
        assert office.ask(between) == (0, None)
        assert office.ask(between) == (Status.ESME_RCANCELFAIL, None)
        states = [office.house.state(id_) for id_ in ids]
        assert states == [State.DELETED, State.DELETED, State.QUEUED]

    def test_neither_id_nor_destination(self) -> None:
        assert Office().ask(CancelSm(source_addr="Shop")) == (Status.ESME_RINVDSTADR, None)


class TestReplace:
    def test_it_is_replaced(self) -> None:
        office = Office()
        office.down()
        (id_,) = office.house.admit(draft_to())
        request = ReplaceSm(message_id=str(id_), source_addr="Shop", short_message=b"new")
        assert office.ask(request) == (0, None)
        message = office.house.store.message(id_)
        assert message is not None
        assert b"new" in message.body

    @pytest.mark.parametrize(("version", "is_there"), [(0x34, False), (0x50, True)])
    def test_message_payload_came_with_5_0(self, version: int, is_there: bool) -> None:
        office = Office()
        office.down()
        (id_,) = office.house.admit(draft_to())
        payload = (int(Tag.MESSAGE_PAYLOAD), b"payload")
        request = ReplaceSm(message_id=str(id_), source_addr="Shop", tlvs=(payload,))
        assert office.ask(request, version) == (0, None)
        message = office.house.store.message(id_)
        assert message is not None
        assert (b"payload" in message.body) is is_there

    def test_what_is_not_there(self) -> None:
        request = ReplaceSm(message_id="nope", source_addr="Shop", short_message=b"new")
        assert Office().ask(request) == (Status.ESME_RREPLACEFAIL, None)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (BroadcastSm(tlvs=TLVS), Status.ESME_RPROHIBITED),
        (BroadcastSm(tlvs=TLVS[1:]), Status.ESME_RMISSINGTLV),
        (QueryBroadcastSm(message_id="1"), Status.ESME_RPROHIBITED),
        (QueryBroadcastSm(), Status.ESME_RINVMSGID),
        (CancelBroadcastSm(message_id="1"), Status.ESME_RPROHIBITED),
    ],
)
def test_no_broadcast_is_taken(request_: Pdu, status: int) -> None:
    assert Office().ask(request_, 0x50) == (status, None)


def test_a_store_that_fills_up_meanwhile_refuses_all() -> None:
    office = Office()
    made: list[tuple[int, bytes]] = []
    asker = Asker(DEMO, 0x34)
    office.desk.ask(asker, multi(*destinations("4179000001")), lambda *answer: made.append(answer))
    assert made == [], "not before the commit"
    office.house.store.why_full = "full"
    office.house.store.retry()
    assert made == [(Status.ESME_RMSGQFUL, b"")]


class TestOldQueries:
    """query_msg_details, query_last_msgs and param_retrieve of SMPP 3.3."""

    def test_details_tell_all_about_a_message_and_as_much_text_as_asked(self) -> None:
        office = Office()
        _, submitted = office.ask(multi(*destinations("4179000001", "4379000001")))
        status, response = office.ask(
            QueryMsgDetails(message_id=submitted.message_id, source_addr="Shop", sm_length=3)
        )
        assert status == 0
        assert isinstance(response, QueryMsgDetailsResp)
        assert response.dest_address == destinations("4179000001", "4379000001")
        assert (response.source_addr, response.short_message) == ("Shop", b"hel")
        assert response.message_id == submitted.message_id
        assert response.message_state == State.ENROUTE
        assert response.final_date == ""

    def test_details_of_what_is_not_there(self) -> None:
        status, _ = Office().ask(QueryMsgDetails(message_id="7", source_addr="Shop"))
        assert status == Status.ESME_RQUERYFAIL

    def test_the_last_messages_of_a_source_newest_first(self) -> None:
        office = Office()
        asked: list[tuple[Container[str], int]] = []

        def newest(_: AccountId, sources: Container[str], limit: int) -> list[MessageId]:
            asked.append((sources, limit))
            return [MessageId(9), MessageId(7)]

        office.desk.newest = newest
        status, response = office.ask(QueryLastMsgs(source_addr="Shop", no_of_msgs=2))
        assert status == 0
        assert [one.message_id for one in response.message] == ["9", "7"]
        assert asked == [({"Shop"}, 2)]

    @pytest.mark.parametrize("count", [0, 101])
    def test_1_to_100_of_them(self, count: int) -> None:
        status, _ = Office().ask(QueryLastMsgs(source_addr="Shop", no_of_msgs=count))
        assert status == Status.ESME_RQUERYFAIL

    def test_there_are_no_parameters(self) -> None:
        status, _ = Office().ask(ParamRetrieve(param_name="x"))
        assert status == Status.ESME_RPROHIBITED
