"""The load client: binds sessions, keeps their windows full, says what came of it.

*In*: a `LoadPlan`. *Out*: a `LoadReport`; a live line and a table for people, JSON for pipes.
*Never*: an average for a percentile; a run that looks good while messages or receipts are missing.

`smsc load` is its command line.
"""

import gc
import socket
import time
from collections.abc import Callable
from typing import Final

import attrs
import trio
from attrs.validators import ge, gt, optional

from bench.load_histogram import Histogram
from bench.load_session import LoadSession, Source
from bench.load_tally import Tally
from pdu.address import guess_destination, guess_source
from pdu.codec import encode_body
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.message_pdus import SubmitSm
from pdu.text.coding import choose

_RING: Final = 2000
"""Different destinations of a run."""
_CONNECT_S: Final = 10.0
_BIND_S: Final = 30.0
_UNBIND_S: Final = 3.0
_TICK_S: Final = 1.0
_LOOK_S: Final = 0.25


@attrs.frozen(kw_only=True)
class LoadPlan:
    """What to do; ValueError names a number that is out of range.

    :ivar count: messages to send; else `seconds` is the length of the run.
    :ivar silence_s: missing receipts are given up when none came for so long.
    """

    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str
    password: str = attrs.field(repr=False)
    sessions: int = attrs.field(default=10, validator=ge(1))
    window: int = attrs.field(default=100, validator=ge(1))
    count: int | None = attrs.field(default=None, validator=optional(ge(1)))
    seconds: float = attrs.field(default=10.0, validator=gt(0))
    receipts: bool = False
    from_: str = "Load"
    to_prefix: str = "4179"
    text: str = "Your parcel arrives today between 14:00 and 16:00."
    response_s: float = 30.0
    silence_s: float = 10.0


@attrs.frozen(kw_only=True)
class Latency:
    """Percentiles in milliseconds; None when nothing was measured."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float

    @classmethod
    def of(cls, histogram: Histogram) -> "Latency":
        """Read off a histogram."""
        p50, p95, p99 = (
            None if seconds is None else round(seconds * 1e3, 3)
            for seconds in map(histogram.percentile, (50.0, 95.0, 99.0))
        )
        return cls(p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=round(histogram.most_s * 1e3, 3))


@attrs.frozen(kw_only=True)
class LoadReport:
    """What came of it.

    :ivar submits_per_s: messages accepted, over the time from the first submit_sm to the last
        response.
    :ivar receipts_per_s: receipts, over the time from the first submit_sm to the last receipt.
    :ivar client_cpu_us: what a message cost the client.
    :ivar errors: statuses by name, binds that failed, requests without an answer.
    """

    sessions: int
    submitted: int
    accepted: int
    seconds: float
    submits_per_s: float
    submit: Latency
    receipts: int
    receipts_per_s: float
    receipt: Latency
    states: dict[str, int]
    missing_receipts: int
    stray_receipts: int
    client_cpu_us: float
    errors: dict[str, int]

    @property
    def is_good(self) -> bool:
        """Every session bound, every message accepted, every receipt home."""
        return not (self.errors or self.missing_receipts)


async def run_load(
    plan: LoadPlan,
    watch: Callable[[Tally], None] | None = None,
    stop: trio.Event | None = None,
) -> LoadReport:
    """Do it.

    :param watch: is shown the counts four times a second.
    :param stop: ends the sending early; what was sent is still waited for.
    :raises ValueError: the text or an address does not fit one submit_sm.
    """
    tally = Tally(wants_receipts=plan.receipts)
    source = Source(make_bodies(plan), plan.count)
    sessions: list[LoadSession] = []
    failed_binds: list[str] = []
    async with trio.open_nursery() as nursery:
        for _ in range(plan.sessions):
            session = await _connect(plan, source, tally, failed_binds)
            if session is not None:
                sessions.append(session)
                nursery.start_soon(_run_session, session, plan)
        nursery.start_soon(_sweep, sessions)
        if watch is not None:
            nursery.start_soon(_show, watch, tally)
        if stop is not None:
            nursery.start_soon(_stop_early, stop, source, sessions)
        with trio.move_on_after(_BIND_S):
            for session in sessions:
                await session.settled.wait()
        bound = [session for session in sessions if session.session.is_bound]
        failed_binds += [one.why_not_bound for one in sessions if not one.session.is_bound]
        # What was built so far stays: the collector need not walk it in the middle of the run.
        gc.freeze()
        cpu_s, started = time.process_time(), trio.current_time()
        if plan.count is None:
            source.stop_at = min(source.stop_at, started + plan.seconds)
        for session in bound:
            session.start()
        for session in bound:
            await session.finished.wait()
        await _await_receipts(tally, bound, plan.silence_s)
        cpu_s = time.process_time() - cpu_s
        await _leave(sessions)
        nursery.cancel_scope.cancel()
    gc.unfreeze()
    tally.give_up()
    for why in failed_binds:
        tally.errors[why or "no answer to the bind"] += 1
    return _report(tally, len(bound), started, cpu_s)


def make_bodies(plan: LoadPlan) -> list[bytes]:
    """The submit_sm bodies of a plan: alike, but for the destination.

    :raises ValueError: the text or an address does not fit.
    """
    choice = choose(plan.text)
    if len(choice.data) > SHORT_MESSAGE_OCTETS:
        raise ValueError(f"the text takes {len(choice.data)} octets; one submit_sm holds 254")
    source = guess_source(plan.from_)
    bodies = []
    for number in range(_RING):
        to = guess_destination(f"{plan.to_prefix}{number:07d}")
        bodies.append(
            encode_body(
                SubmitSm(
                    source_addr_ton=source.ton,
                    source_addr_npi=source.npi,
                    source_addr=source.addr,
                    dest_addr_ton=to.ton,
                    dest_addr_npi=to.npi,
                    destination_addr=to.addr,
                    registered_delivery=int(plan.receipts),
                    data_coding=choice.data_coding,
                    short_message=choice.data,
                )
            )
        )
    return bodies


# --- helpers ----------------------------------------------------------------------------------


async def _connect(
    plan: LoadPlan, source: Source, tally: Tally, failed: list[str]
) -> LoadSession | None:
    try:
        with trio.fail_after(_CONNECT_S):
            stream = await trio.open_tcp_stream(plan.host, plan.port)
    except (OSError, trio.TooSlowError) as error:
        failed.append(f"connect: {getattr(error, 'strerror', None) or error or 'no answer'}")
        return None
    sock = socket.socket(fileno=stream.socket.detach())
    return LoadSession(sock, source, tally, window=plan.window, response_s=plan.response_s)


async def _run_session(session: LoadSession, plan: LoadPlan) -> None:
    await session.run(plan.system_id, plan.password, receipts=plan.receipts)


async def _sweep(sessions: list[LoadSession]) -> None:
    """The one sweeper of all sessions."""
    while True:
        await trio.sleep(_TICK_S)
        now = trio.current_time()
        for session in sessions:
            session.tick(now)


async def _show(watch: Callable[[Tally], None], tally: Tally) -> None:
    while True:
        await trio.sleep(_LOOK_S)
        watch(tally)


async def _stop_early(stop: trio.Event, source: Source, sessions: list[LoadSession]) -> None:
    await stop.wait()
    source.stop_at = trio.current_time()
    for session in sessions:
        session.tick(source.stop_at)


async def _await_receipts(tally: Tally, sessions: list[LoadSession], silence_s: float) -> None:
    """Wait while receipts still come in; looking is cheaper than to be told on the hot path."""
    seen, quiet_since = tally.receipts, trio.current_time()
    while (
        tally.missing
        and any(session.link.is_open for session in sessions)
        and trio.current_time() - quiet_since < silence_s
    ):
        await trio.sleep(_LOOK_S / 10)
        if tally.receipts != seen:
            seen, quiet_since = tally.receipts, trio.current_time()


async def _leave(sessions: list[LoadSession]) -> None:
    for session in sessions:
        session.stop()
    with trio.move_on_after(_UNBIND_S):
        while any(session.link.is_open for session in sessions):  # noqa: ASYNC110 - only the end looks
            await trio.sleep(_LOOK_S / 10)


def _report(tally: Tally, bound: int, started: float, cpu_s: float) -> LoadReport:
    seconds = max(tally.last_answer_at - started, 1e-9)
    receipts_s = max(tally.last_receipt_at - started, 1e-9)
    return LoadReport(
        sessions=bound,
        submitted=tally.submitted,
        accepted=tally.accepted,
        seconds=round(seconds, 3),
        submits_per_s=round(tally.accepted / seconds, 1) if tally.accepted else 0.0,
        submit=Latency.of(tally.responses_s),
        receipts=tally.receipts,
        receipts_per_s=round(tally.receipts / receipts_s, 1) if tally.receipts else 0.0,
        receipt=Latency.of(tally.receipts_s),
        states=dict(tally.states),
        missing_receipts=tally.missing,
        stray_receipts=tally.strays,
        client_cpu_us=round(cpu_s / max(tally.submitted, 1) * 1e6, 2),
        errors=dict(tally.errors),
    )
