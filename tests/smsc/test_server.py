"""The SMPP server over real sockets: who may bind, what is answered, and one fault at a time."""

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import trio
import trio.testing
from argon2 import PasswordHasher

from pdu.codec import encode_body, pack
from pdu.commands import RESPONSE
from pdu.message_pdus import DataSm, QuerySm, SmeAddress, SubmitMulti, SubmitSm
from pdu.status import Status
from smsc.config import Config
from smsc.message import AccountId, MessageId, State
from smsc.operations.desk import Asker
from smsc.ports import Done, Refused
from smsc.reception import open_listener
from tests.fakes.house import eventually, read_config
from tests.fakes.ports import delivery
from tests.fakes.server import BIND_RESP, SUBMIT_RESP, ServedHouse, bind, serving
from tests.fakes.wire import BAD_SUBMIT, DELIVER, SUBMIT, C, pdu

ACCOUNTS = """
[accounts.demo]
password = "demo"
window = 3
[accounts.one]
password = "one"
max_binds = 1
[accounts.far]
password = "far"
networks = ["10.0.0.0/8"]
[accounts.data]
password = "data"
deliver_with = "data_sm"
[accounts.hashed]
password_hash = "{hash}"
"""


def config_of(tmp_path: Any, smpp: str = "") -> Config:
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
    return read_config(ACCOUNTS.format(hash=hashed), tmp_path, smpp=smpp)


Start = Callable[..., AbstractAsyncContextManager[ServedHouse]]


@pytest.fixture
def start(tmp_path: Any) -> Start:
    def running(
        smpp: str = "", timeout_s: float = 10.0
    ) -> AbstractAsyncContextManager[ServedHouse]:
        return serving(config_of(tmp_path, smpp), timeout_s)

    return running


# --- binds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "password", "status", "why"),
    [
        ("demo", "wrong", Status.ESME_RINVPASWD, "wrong password"),
        ("demo", "", Status.ESME_RINVPASWD, "wrong password"),
        ("nobody", "demo", Status.ESME_RINVSYSID, "no account 'nobody'"),
        (
            "far",
            "far",
            Status.ESME_RBINDFAIL,
            "account far may not come from 127.0.0.1; its networks are in the configuration",
        ),
        ("hashed", "wrong", Status.ESME_RINVPASWD, "wrong password"),
    ],
)
async def test_who_may_not_bind_is_told_why_and_may_try_again(
    start: Start, name: str, password: str, status: int, why: str
) -> None:
    async with start() as house:
        peer = await house.connect()
        assert await peer.ask(bind(name, password)) == (BIND_RESP, status, 1)
        assert [line["why"] for line in house.log.named("bind.refused")] == [why]
        assert len(house.bindings) == 0
        assert await peer.ask(bind("demo", "demo", number=2)) == (BIND_RESP, 0, 2)
        assert dict(house.bindings) == {"demo": 1}
        told = house.log.named("bind.refused")[0]
        assert not password or password == name or password not in map(str, told.values())


async def test_a_password_that_is_kept_as_a_hash(start: Start) -> None:
    async with start() as house:
        peer = await house.connect()
        assert await peer.ask(bind("hashed", "secret")) == (BIND_RESP, 0, 1)


async def test_bind_twice(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        assert await peer.ask(bind("demo", "demo", number=2)) == (
            BIND_RESP,
            Status.ESME_RALYBND,
            2,
        )
        assert await peer.ask(pdu(C.ENQUIRE_LINK, 3)) == (C.ENQUIRE_LINK | RESPONSE, 0, 3)


async def test_an_account_binds_as_often_as_it_may(start: Start) -> None:
    async with start() as house:
        first = await house.bound(name="one")
        second = await house.connect()
        assert await second.ask(bind("one", "one")) == (BIND_RESP, Status.ESME_RBINDFAIL, 1)
        # The place is free as soon as the first one has its unbind_resp.
        assert await first.ask(pdu(C.UNBIND, 2)) == (C.UNBIND | RESPONSE, 0, 2)
        assert await second.ask(bind("one", "one", number=2)) == (BIND_RESP, 0, 2)
        assert dict(house.bindings) == {"one": 1}


async def test_a_bind_that_is_cut_off_frees_its_place(start: Start) -> None:
    async with start() as house:
        first = await house.bound(name="one")
        await first.stream.aclose()
        await eventually(lambda: len(house.bindings) == 0)
        await house.bound(name="one")
        assert house.log.named("session.closed")[0]["why"] == "closed by the peer"


async def test_no_bind_no_session(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.01)
    async with start(smpp="session_init_s = 0.1") as house:
        peer = await house.connect()
        assert await peer.is_closed()


# --- connections ------------------------------------------------------------------------------


async def test_no_more_connections_than_configured(start: Start) -> None:
    async with start(smpp="max_connections = 2") as house:
        first, _ = await house.bound(), await house.bound()
        third = await house.connect()
        assert await third.is_closed()
        await first.stream.aclose()
        await eventually(lambda: len(house.server.clients) == 1)
        await house.bound()


async def test_stop_listening_unbind_and_go(start: Start) -> None:
    async with start() as house:
        peer, stranger = await house.bound(), await house.connect()
        await eventually(lambda: len(house.server.clients) == 2)
        house.server.stop_listening()
        house.server.unbind_all()
        assert (await peer.read())[:3] == (C.UNBIND, 0, 1)
        await peer.send(pdu(C.UNBIND | RESPONSE, 1))
        assert await peer.is_closed()
        assert await stranger.is_closed()
        await peer.stream.aclose()
        await stranger.stream.aclose()
        await eventually(lambda: not house.server.clients)
        with pytest.raises(OSError, match="all attempts to connect"):
            await trio.open_tcp_stream(*house.address)


async def test_close_all_ends_even_those_who_do_not_answer(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        house.server.close_all("the gateway stops")
        assert await peer.is_closed()


async def test_an_address_in_use_is_named() -> None:
    taken = await open_listener("127.0.0.1", 0)
    host, port = taken.getsockname()
    with taken, pytest.raises(OSError, match=f"{host}:{port}.*in use"):
        await open_listener(host, port)


async def test_ipv6_addresses_are_served_on_their_own() -> None:
    try:
        listener = await open_listener("::1", 0)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert listener.family == socket.AF_INET6


# --- messages ---------------------------------------------------------------------------------


async def test_messages_of_a_read_are_one_batch_and_answered_with_their_ids(start: Start) -> None:
    async with start() as house:
        peer = await house.bound(C.BIND_TRANSMITTER)
        await peer.send(b"".join(pdu(C.SUBMIT_SM, n, SUBMIT) for n in (2, 3, 4)))
        answers = [await peer.read() for _ in range(3)]
        assert answers == [(SUBMIT_RESP, 0, n, b"%d\0" % (n - 1)) for n in (2, 3, 4)]
        assert [(one.account, one.source, one.body) for one in house.intake.drafts] == [
            ("demo", "smpp", SUBMIT)
        ] * 3


async def test_what_intake_refuses_is_refused_with_its_status(start: Start) -> None:
    async with start() as house:
        house.intake.refuse = Refused(Status.ESME_RMSGQFUL, "full")
        peer = await house.bound()
        assert await peer.ask(pdu(C.SUBMIT_SM, 2, SUBMIT)) == (
            SUBMIT_RESP,
            Status.ESME_RMSGQFUL,
            2,
        )


async def test_no_answer_before_intake_gives_it(start: Start) -> None:
    async with start() as house:
        house.intake.is_holding = True
        peer = await house.bound()
        await peer.send(pdu(C.SUBMIT_SM, 2, SUBMIT) + pdu(C.ENQUIRE_LINK, 3))
        assert (await peer.read())[:3] == (C.ENQUIRE_LINK | RESPONSE, 0, 3)
        # A client may even leave: unbind_resp comes after what it is still owed.
        await peer.send(pdu(C.UNBIND, 4))
        await eventually(lambda: len(house.bindings) == 0)
        house.intake.release()
        assert [(await peer.read())[:3] for _ in range(2)] == [
            (SUBMIT_RESP, 0, 2),
            (C.UNBIND | RESPONSE, 0, 4),
        ]
        assert await peer.is_closed()


async def test_an_answer_for_a_client_that_is_gone_hurts_nobody(start: Start) -> None:
    async with start() as house:
        house.intake.is_holding = True
        peer, other = await house.bound(), await house.bound()
        await peer.send(pdu(C.SUBMIT_SM, 2, SUBMIT))
        await eventually(lambda: bool(house.intake.drafts))
        await peer.stream.aclose()
        await eventually(lambda: len(house.server.clients) == 1)
        house.intake.release()
        assert await other.ask(pdu(C.ENQUIRE_LINK, 2)) == (C.ENQUIRE_LINK | RESPONSE, 0, 2)


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (pdu(C.SUBMIT_SM, 2, BAD_SUBMIT), (SUBMIT_RESP, Status.ESME_RINVMSGLEN, 2)),
        (pdu(0x777, 2), (C.GENERIC_NACK, Status.ESME_RINVCMDID, 2)),
        (pdu(C.DELIVER_SM, 2, DELIVER), (C.DELIVER_SM | RESPONSE, Status.ESME_RINVBNDSTS, 2)),
    ],
    ids=["malformed", "unknown command", "wrong direction"],
)
async def test_a_bad_pdu_is_answered_and_the_session_lives(
    start: Start, octets: bytes, answer: tuple[int, int, int]
) -> None:
    async with start() as house:
        peer = await house.bound()
        assert await peer.ask(octets) == answer
        assert len(house.log.named("pdu.refused")) == 1
        assert await peer.ask(pdu(C.SUBMIT_SM, 3, SUBMIT)) == (SUBMIT_RESP, 0, 3)


async def test_submit_before_bind(start: Start) -> None:
    async with start() as house:
        peer = await house.connect()
        assert await peer.ask(pdu(C.SUBMIT_SM, 1, SUBMIT)) == (
            SUBMIT_RESP,
            Status.ESME_RINVBNDSTS,
            1,
        )
        assert house.intake.drafts == []


async def test_a_bad_length_ends_the_session_alone(start: Start) -> None:
    async with start() as house:
        peer, other = await house.bound(), await house.bound()
        bad = pack(C.SUBMIT_SM, 0, 5, b"")[4:]
        assert await peer.ask(b"\0\0\0\x05" + bad) == (
            C.GENERIC_NACK,
            Status.ESME_RINVCMDLEN,
            5,
        )
        assert await peer.is_closed()
        assert await other.ask(pdu(C.ENQUIRE_LINK, 2)) == (C.ENQUIRE_LINK | RESPONSE, 0, 2)


async def test_a_bug_met_in_one_session_leaves_the_others(start: Start) -> None:
    async with start() as house:
        peer, other = await house.bound(), await house.bound()
        house.intake.is_broken = True
        await peer.send(pdu(C.SUBMIT_SM, 2, SUBMIT))
        assert await peer.is_closed()
        house.intake.is_broken = False
        await eventually(lambda: "session.crashed" in house.log.events)
        assert "ZeroDivisionError" in house.log.named("session.crashed")[0]["exception"]
        assert await other.ask(pdu(C.SUBMIT_SM, 2, SUBMIT)) == (SUBMIT_RESP, 0, 2)


async def test_a_bug_met_while_a_bind_is_judged_leaves_the_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as house:
        other = await house.bound()

        async def broken(*_: object) -> None:
            await trio.lowlevel.checkpoint()
            raise ZeroDivisionError

        monkeypatch.setattr(house.server.directory, "authenticate", broken)
        peer = await house.connect()
        await peer.send(bind("demo", "demo"))
        assert await peer.is_closed()
        assert await other.ask(pdu(C.ENQUIRE_LINK, 2)) == (C.ENQUIRE_LINK | RESPONSE, 0, 2)


# --- deliveries -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER])
async def test_receivers_and_transceivers_take_deliveries(start: Start, kind: int) -> None:
    async with start() as house:
        await house.bound(kind)
        assert len(house.mailboxes.attached) == (kind != C.BIND_TRANSMITTER)


async def test_a_delivery_is_done_when_the_client_says_so(start: Start) -> None:
    async with start() as house:
        peer = await house.bound(C.BIND_RECEIVER)
        mailbox, receiver = house.mailboxes.attached[0]
        assert mailbox == "demo"
        assert receiver.room() == 3
        receiver.deliver([delivery(8, DELIVER), delivery(9, DELIVER)])
        assert receiver.room() == 1
        assert await peer.read() == (C.DELIVER_SM, 0, 1, DELIVER)
        assert house.mailboxes.outcomes == []
        await peer.send(pdu(C.DELIVER_SM | RESPONSE, 1, b"\0"))
        await eventually(lambda: house.mailboxes.outcomes == [Done(MessageId(8))])
        # What it has not answered when it goes is for its mailbox to offer again.
        assert await peer.ask(pdu(C.UNBIND, 5)) == (C.DELIVER_SM, 0, 2)
        assert (await peer.read())[:3] == (C.UNBIND | RESPONSE, 0, 5)
        assert house.mailboxes.attached == []
        assert receiver.room() == 0


async def test_an_answer_and_an_unbind_in_one_read_both_count(start: Start) -> None:
    async with start() as house:
        peer = await house.bound(C.BIND_RECEIVER)
        house.mailboxes.attached[0][1].deliver([delivery(8, DELIVER)])
        await peer.read()
        await peer.send(pdu(C.DELIVER_SM | RESPONSE, 1, b"\0") + pdu(C.UNBIND, 5))
        assert (await peer.read())[:3] == (C.UNBIND | RESPONSE, 0, 5)
        assert house.mailboxes.outcomes == [Done(MessageId(8))]
        assert house.mailboxes.attached == []


async def test_the_sweeper_probes_and_survives_a_bug(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.01)
    async with start(smpp="enquire_link_s = 0.1") as house:
        broken, peer = await house.bound(), await house.bound()

        def tick(now: float) -> None:
            raise ZeroDivisionError

        client = next(
            one
            for one in house.server.clients
            if one.link._sock.getpeername() == broken.stream.socket.getsockname()
        )
        monkeypatch.setattr(client.link, "tick", tick)
        assert await broken.is_closed()
        assert (await peer.read())[0] == C.ENQUIRE_LINK


# --- other requests ---------------------------------------------------------------------------

QUERY = encode_body(QuerySm(message_id="17", source_addr="Shop"))
DATA = encode_body(DataSm(source_addr="Shop", destination_addr="4179", esm_class=2))
TRANSACTION = encode_body(
    SubmitSm(source_addr="Shop", destination_addr="4179", short_message=b"hi", esm_class=2)
)


async def test_a_request_is_answered_when_the_desk_answers_and_others_meanwhile(
    start: Start,
) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.QUERY_SM, 2, QUERY))
        assert await peer.ask(pdu(C.ENQUIRE_LINK, 3)) == (C.ENQUIRE_LINK | RESPONSE, 0, 3)
        ((asker, request, done),) = house.asked
        assert (asker, request.message_id) == (Asker(AccountId("demo"), 0x34), "17")
        done(0, b"17\0\0\2\0")
        assert await peer.read() == (C.QUERY_SM | RESPONSE, 0, 2, b"17\0\0\2\0")


async def test_requests_count_for_the_fair_share_of_their_account(start: Start) -> None:
    three = tuple(SmeAddress(destination_addr=f"417900000{one}") for one in range(3))
    request = encode_body(SubmitMulti(source_addr="Shop", dest_address=three, short_message=b"x"))
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.QUERY_SM, 2, QUERY) + pdu(C.SUBMIT_MULTI, 3, request))
        await eventually(lambda: len(house.asked) == 2)
        assert house.server.fair.in_hand == 1 + 3
        for _, _, done in house.asked:
            done(0, b"17\0\0\2\0")
        assert house.server.fair.in_hand == 0


async def test_the_desk_may_answer_a_connection_that_is_gone(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.QUERY_SM, 2, QUERY))
        await eventually(lambda: bool(house.asked))
        await peer.stream.aclose()
        await eventually(lambda: not house.server.clients)
        house.asked[0][2](0, b"17\0\0\2\0")


async def test_a_transaction_waits_for_its_end_and_the_window_stays_open(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.DATA_SM, 2, DATA))
        await peer.send(b"".join(pdu(C.SUBMIT_SM, number, SUBMIT) for number in (3, 4, 5)))
        assert [(await peer.read())[2] for _ in range(3)] == [3, 4, 5]
        await eventually(lambda: len(house.transactions) == 1)
        draft = house.intake.drafts[0]
        assert draft.body[draft.body.index(b"4179") + 5] == 2, "stored before it waits"
        house.end(1, State.DELIVERED)
        assert await peer.read() == (C.DATA_SM | RESPONSE, 0, 2, b"1\0")


async def test_more_transactions_than_the_window_are_throttled(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(b"".join(pdu(C.DATA_SM, number, DATA) for number in (2, 3, 4, 5)))
        assert await peer.read() == (C.DATA_SM | RESPONSE, Status.ESME_RTHROTTLED, 5, b"")
        assert len(house.intake.drafts) == 3, "nothing is stored of a refusal"
        house.end(2, State.DELIVERED)
        assert (await peer.read())[:3] == (C.DATA_SM | RESPONSE, 0, 3)
        await peer.send(pdu(C.DATA_SM, 6, DATA))
        await eventually(lambda: len(house.intake.drafts) == 4)


async def test_a_transaction_that_is_refused_is_answered_at_once(start: Start) -> None:
    async with start() as house:
        house.intake.refuse = Refused(Status.ESME_RINVDSTADR, "no route")
        peer = await house.bound()
        await peer.send(pdu(C.DATA_SM, 2, DATA))
        assert await peer.read() == (C.DATA_SM | RESPONSE, Status.ESME_RINVDSTADR, 2, b"")
        assert len(house.transactions) == 0


IDLE = b"\x04\x28\0\1\0"  # congestion_state


@pytest.mark.parametrize("version", [0x34, 0x50])
async def test_submit_sm_waits_in_5_0_alone(start: Start, version: int) -> None:
    async with start() as house:
        peer = await house.bound(version=version)
        await peer.send(pdu(C.SUBMIT_SM, 2, TRANSACTION))
        if version == 0x50:
            await eventually(lambda: len(house.transactions) == 1)
            house.end(1, State.UNDELIVERABLE)
            failed = Status.ESME_RDELIVERYFAILURE
            assert await peer.read() == (SUBMIT_RESP, failed, 2, b"1\0\4\x25\0\1\3" + IDLE)
        else:
            assert await peer.read() == (SUBMIT_RESP, 0, 2, b"1\0")


async def test_the_time_of_a_transaction_ends(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.01)
    async with start(timeout_s=0.05) as house:
        peer = await house.bound()
        answer = await peer.ask(pdu(C.DATA_SM, 2, DATA))
        assert answer == (C.DATA_SM | RESPONSE, Status.ESME_RDELIVERYFAILURE, 2)
        assert house.dropped == [1]


async def test_an_unbind_hurries_what_waits(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.DATA_SM, 2, DATA) + pdu(C.UNBIND, 3))
        assert (await peer.read())[:3] == (
            C.DATA_SM | RESPONSE,
            Status.ESME_RDELIVERYFAILURE,
            2,
        )
        assert (await peer.read())[:3] == (C.UNBIND | RESPONSE, 0, 3)
        assert house.dropped == [1]


async def test_who_is_cut_off_waits_no_more_and_the_message_goes_on(start: Start) -> None:
    async with start() as house:
        peer = await house.bound()
        await peer.send(pdu(C.DATA_SM, 2, DATA))
        await eventually(lambda: len(house.transactions) == 1)
        await peer.stream.aclose()
        await eventually(lambda: len(house.transactions) == 0)
        assert house.dropped == []


async def test_an_alert_goes_to_the_receivers_of_its_account(start: Start) -> None:
    async with start() as house:
        receiver = await house.bound(C.BIND_RECEIVER)
        transmitter = await house.bound(C.BIND_TRANSMITTER)
        stranger = await house.bound(name="one")
        house.server.alert(AccountId("demo"), b"body")
        assert (await receiver.read())[::3] == (C.ALERT_NOTIFICATION, b"body")
        for peer in (transmitter, stranger):
            assert await peer.ask(pdu(C.ENQUIRE_LINK, 2)) == (C.ENQUIRE_LINK | RESPONSE, 0, 2)


async def test_an_account_may_have_its_deliveries_by_data_sm(start: Start) -> None:
    async with start() as house:
        for version, command_id in ((0x34, C.DATA_SM), (0x33, C.DELIVER_SM)):
            peer = await house.bound(name="data", version=version)
            await eventually(lambda: bool(house.mailboxes.attached))
            _, receiver = house.mailboxes.attached[0]
            receiver.deliver([delivery(7, DELIVER)])
            answer = await peer.read()
            assert (answer[0], b"yo" in answer[3]) == (command_id, True)
            await peer.send(pdu(command_id | RESPONSE, answer[2], b"\0"))
            await eventually(lambda: house.mailboxes.outcomes == [Done(MessageId(7))])
            house.mailboxes.outcomes.clear()
            await peer.stream.aclose()
            await eventually(lambda: not house.mailboxes.attached)
