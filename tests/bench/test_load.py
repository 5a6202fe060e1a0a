"""The load client against a message centre on loopback."""

from typing import Any

import pytest
import trio

from bench.load import LoadPlan, make_bodies, run_load
from bench.load_session import Source
from bench.load_tally import Tally
from pdu.codec import peek_submit_sm
from pdu.commands import Command
from pdu.status import Status
from tests.bench.fake_centre import PASSWORD, FakeCentre


def plan(centre: FakeCentre, **more: Any) -> LoadPlan:
    wanted: dict[str, Any] = {"sessions": 3, "window": 20, "count": 1000, "silence_s": 0.05}
    wanted |= {"system_id": "load", "password": PASSWORD, **more}
    return LoadPlan(port=centre.port, **wanted)


async def test_every_message_of_the_count_is_sent_once_and_answered() -> None:
    async with FakeCentre().serve() as centre:
        report = await run_load(plan(centre))
    assert centre.submitted == report.submitted == report.accepted == 1000
    assert report.is_good
    assert report.sessions == 3
    assert report.submits_per_s > 0
    assert report.submit.p50_ms is not None
    assert report.receipts == 0
    assert centre.binds == [Command.BIND_TRANSMITTER] * 3


async def test_the_window_is_kept_full_and_not_passed() -> None:
    async with FakeCentre().serve() as centre:
        await run_load(plan(centre, sessions=1, window=17, count=200))
    assert centre.most_unanswered == 17


async def test_receipts_come_home_and_are_answered() -> None:
    async with FakeCentre().serve() as centre:
        report = await run_load(plan(centre, receipts=True, count=500))
    assert report.is_good
    assert report.receipts == 500
    assert report.states == {"DELIVRD": 500}
    assert report.receipts_per_s > 0
    assert report.receipt.p99_ms is not None
    assert centre.delivered == {0: 500}
    assert centre.binds == [Command.BIND_TRANSCEIVER] * 3


async def test_receipts_may_overtake_responses() -> None:
    async with FakeCentre(receipts_first=True).serve() as centre:
        report = await run_load(plan(centre, receipts=True, count=300))
    assert (report.receipts, report.missing_receipts, report.stray_receipts) == (300, 0, 0)


async def test_missing_receipts_are_told_after_a_bounded_wait() -> None:
    async with FakeCentre(receipt_of=lambda number: number % 10 != 0).serve() as centre:
        report = await run_load(plan(centre, receipts=True, count=100))
    assert (report.receipts, report.missing_receipts) == (90, 10)
    assert not report.is_good


async def test_refusals_are_counted_by_the_name_of_their_status() -> None:
    def status_of(number: int) -> int:
        return 0 if number % 4 else int(Status.ESME_RTHROTTLED)

    async with FakeCentre(status_of=status_of).serve() as centre:
        report = await run_load(plan(centre, receipts=True, count=100))
    assert report.accepted == report.receipts == 75
    assert report.errors == {"ESME_RTHROTTLED": 25}
    assert not report.is_good


async def test_a_cut_connection_is_told_and_ends_the_run() -> None:
    async with FakeCentre(cut_after=50).serve() as centre:
        report = await run_load(plan(centre, sessions=1, receipts=True))
    assert 0 < report.errors["no answer"] <= 20
    assert report.accepted + report.errors["no answer"] == report.submitted


async def test_refused_binds_are_errors() -> None:
    async with FakeCentre().serve() as centre:
        report = await run_load(plan(centre, password="wrong"))
    assert report.sessions == report.submitted == 0
    assert report.errors == {"the bind was refused with ESME_RINVPASWD": 3}


async def test_nobody_there_is_an_error() -> None:
    async with FakeCentre().serve() as centre:
        pass
    report = await run_load(plan(centre, sessions=2))
    assert sum(report.errors.values()) == 2
    assert all(name.startswith("connect: ") for name in report.errors)


async def test_a_stop_ends_the_sending_and_keeps_what_was_sent() -> None:
    stop = trio.Event()

    def watch(tally: Tally) -> None:
        if tally.accepted:
            stop.set()

    async with FakeCentre().serve() as centre:
        report = await run_load(plan(centre, count=None, seconds=600.0), watch, stop)
    assert report.is_good
    assert report.accepted == report.submitted == centre.submitted > 0


async def test_seconds_end_the_sending() -> None:
    async with FakeCentre().serve() as centre:
        report = await run_load(plan(centre, count=None, seconds=0.05))
    assert report.is_good
    assert report.accepted > 0
    assert report.seconds < 5


def test_bodies_differ_in_their_destination_only() -> None:
    wanted = LoadPlan(system_id="a", password="b", from_="Shop", to_prefix="4478", receipts=True)
    peeks = [peek_submit_sm(body) for body in make_bodies(wanted)]
    assert len({peek.destination_addr for peek in peeks}) == len(peeks)
    assert all(peek.destination_addr.startswith("4478") for peek in peeks)
    assert {(peek.source_addr, peek.registered_delivery) for peek in peeks} == {("Shop", 1)}


def test_a_text_that_does_not_fit_one_submit_sm_is_refused() -> None:
    with pytest.raises(ValueError, match="one submit_sm holds 254"):
        make_bodies(LoadPlan(system_id="a", password="b", text="ж" * 128))


def test_the_source_goes_round_and_ends_with_the_count() -> None:
    source = Source([b"a", b"b", b"c"], count=8)
    assert source.take(2, 0.0) == [b"a", b"b"]
    assert source.take(5, 0.0) == [b"c", b"a", b"b", b"c", b"a"]
    assert source.take(5, 0.0) == [b"b"]
    assert source.take(5, 0.0) == []


def test_the_source_ends_with_the_time() -> None:
    source = Source([b"a"], count=None)
    source.stop_at = 5.0
    assert source.take(1, 4.9) == [b"a"]
    assert source.take(1, 5.0) == []
