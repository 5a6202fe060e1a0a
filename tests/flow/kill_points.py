"""Named moments at which a gateway kills itself: the runner that the crash harness starts.

*In*: the name of a point and how many times it must be passed, the arguments of `smsc`.
*Out*: `smsc run` as it is, until the point is reached; then SIGKILL by its own hand.
*Never*: a hook in production code; the runner wraps functions of its own process from outside.

By hand: `python -m tests.flow.kill_points POINT NTH run --config FILE`.
With no argument it takes orders on standard input, a JSON object a line, and forks a gateway for
each: the imports are the longest part of a start, and are the same for all.
"""

import _thread
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from bridges.http import server as _http_server  # noqa: F401 - imported before the fork, not after
from bridges.smpp_upstream import UpstreamLink
from smsc import cli
from smsc.deliver import BoundReceiver
from smsc.flow.history import History
from smsc.flow.inbound import Inbound
from smsc.flow.receipts import Receipts
from smsc.flow.waking import Waking
from smsc.gateway.life import Life
from smsc.gateway.outlet_keeper import OutletKeeper
from smsc.gateway.outlet_port import OutletPort
from smsc.ports import Sent
from smsc.server import SmppServer
from smsc.session.machine import Session
from smsc.store.batch import MESSAGE, PARKED, UPSTREAM
from smsc.store.commit import Group, GroupCommit
from smsc.store.lmdb_disk import LmdbDisk
from smsc.store.lmdb_store import LmdbStore

Reached = Callable[[], None]
Is = Callable[..., bool]


def _always(*_: object) -> bool:
    return True


def _before(owner: type, name: str, is_it: Is = _always) -> Callable[[Reached], None]:
    def install(reached: Reached) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def wrapped(*args: Any, **named: Any) -> Any:
            if is_it(*args):
                reached()
            return inner(*args, **named)

        setattr(owner, name, wrapped)

    return install


def _after(owner: type, name: str, is_it: Is = _always) -> Callable[[Reached], None]:
    def install(reached: Reached) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def wrapped(*args: Any, **named: Any) -> Any:
            result = inner(*args, **named)
            if is_it(*args):
                reached()
            return result

        setattr(owner, name, wrapped)

    return install


def _around_done(owner: type, name: str, *, is_before: bool) -> Callable[[Reached], None]:
    """Before or after the answer that `owner.name(items, done)` gives once it is on disk."""

    def install(reached: Reached) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def wrapped(self: object, items: object, done: Callable[[object], None]) -> None:
            def answer(statuses: object) -> None:
                if is_before:
                    reached()
                done(statuses)
                if not is_before:
                    reached()

            inner(self, items, answer)

        setattr(owner, name, wrapped)

    return install


def _at_commit(
    holds: Callable[[Group], bool], *, within: bool = False
) -> Callable[[Reached], None]:
    """After, or within, the commit of a group that holds something."""

    def install(reached: Reached) -> None:
        put, commit = LmdbDisk.put, LmdbDisk.commit
        newest: list[Group] = []

        def noted_put(self: LmdbDisk, group: Group) -> None:
            put(self, group)
            newest[:] = [group]

        def noted_commit(self: LmdbDisk) -> None:
            if within and holds(newest[0]):
                # It gets the interpreter when the commit lets go of it for the fsync.
                _thread.start_new_thread(reached, ())
            commit(self)
            if not within and holds(newest[0]):
                reached()

        LmdbDisk.put, LmdbDisk.commit = noted_put, noted_commit  # type: ignore[method-assign]

    return install


def _accepts(_disk: LmdbDisk, group: Group) -> bool:
    return any(batch is None for batch, _ in group.batches)


def _has_new(group: Group) -> bool:
    return any(batch is None for batch, _ in group.batches)


def _has_response(group: Group) -> bool:
    return bool(group.rows.get(UPSTREAM))


def _has_taken_delivery(group: Group) -> bool:
    return any(record is None for record in group.rows.get(PARKED, {}).values())


def _has_forgotten(group: Group) -> bool:
    return any(record is None for record in group.rows.get(MESSAGE, {}).values())


def _answers_new(
    _commit: GroupCommit, batches: Sequence[tuple[object, object]], *_: object
) -> bool:
    return any(batch is None for batch, _ in batches)


def _has_sent(_port: OutletPort, _outlet: str, outcomes: Sequence[object]) -> bool:
    return any(isinstance(one, Sent) for one in outcomes)


UNDER_LOAD: dict[str, Callable[[Reached], None]] = {
    # An accept: server → intake → store → answers.
    "accept.before_put": _before(LmdbDisk, "put", _accepts),
    "accept.after_put": _after(LmdbDisk, "put", _accepts),
    "accept.within_commit": _at_commit(_has_new, within=True),
    "accept.after_commit": _at_commit(_has_new),
    "accept.before_answers": _after(Session, "accept_many"),
    "accept.after_answers": _after(GroupCommit, "_answer", _answers_new),
    # A message to the carrier, and its response.
    "send.before": _before(UpstreamLink, "send"),
    "send.after": _after(UpstreamLink, "send"),
    "response.before_settle": _before(OutletPort, "settle", _has_sent),
    "response.before_commit": _after(OutletPort, "settle", _has_sent),
    "response.after_commit": _at_commit(_has_response),
    # A receipt, and a message, from the carrier.
    "receipt.before_commit": _after(Receipts, "receipts_nowait"),
    "receipt.before_answer": _around_done(Receipts, "receipts_nowait", is_before=True),
    "receipt.after_answer": _around_done(Receipts, "receipts_nowait", is_before=False),
    "mo.before_commit": _after(Inbound, "mobile_originated_nowait"),
    "mo.before_answer": _around_done(Inbound, "mobile_originated_nowait", is_before=True),
    # A delivery to the client.
    "deliver.before": _before(BoundReceiver, "deliver"),
    "deliver.after": _after(BoundReceiver, "deliver"),
    "deliver.before_journal": _before(BoundReceiver, "answered"),
    "deliver.before_commit": _after(BoundReceiver, "answered"),
    "deliver.after_commit": _at_commit(_has_taken_delivery),
}
"""Passed again and again while messages flow."""

AT_START: dict[str, Callable[[Reached], None]] = {
    "start.store_opened": _after(LmdbStore, "__init__"),
    "start.early_restored": _after(Receipts, "restore"),
    "start.before_restore": _before(Waking, "restore"),
    "start.after_restore": _after(Waking, "restore"),
    "start.before_outlets": _before(OutletKeeper, "_keep"),
}
"""Passed once in a life, when an earlier one left messages."""

AT_STOP: dict[str, Callable[[Reached], None]] = {
    "stop.before_drain": _before(Life, "_drain"),
    "stop.after_drain": _before(SmppServer, "unbind_all"),
    "stop.before_close": _before(LmdbStore, "close"),
    "stop.after_close": _after(LmdbStore, "close"),
}
"""Passed once after SIGTERM."""

IN_HISTORY: dict[str, Callable[[Reached], None]] = {
    "history.before_commit": _before(History, "_commit"),
    "history.within_commit": _at_commit(_has_forgotten, within=True),
    "history.after_commit": _at_commit(_has_forgotten),
}
"""Passed when finished messages are old enough to be forgotten."""

POINTS = UNDER_LOAD | AT_START | AT_STOP | IN_HISTORY


def install(point: str, nth: int) -> None:
    """Kill this process the `nth` time that it comes to `point`."""
    left = [nth]

    def reached() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    POINTS[point](reached)


def _live(point: str | None, nth: int, arguments: Sequence[str]) -> int:
    if point is not None:
        install(point, nth)
    return int(cli.app(list(arguments)) or 0)


def _say(**facts: int) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _obey(line: str) -> None:
    """One life: {"point": name or null, "nth": number, "arguments": [...], "log": path}."""
    order = json.loads(line)
    pid = os.fork()
    if pid:
        _say(started=pid)
        _, status = os.waitpid(pid, 0)
        _say(ended=os.waitstatus_to_exitcode(status))
        return
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    status = 70
    try:
        status = _live(order["point"], order["nth"], order["arguments"])
    except BaseException:  # noqa: BLE001 - the child must not go on as the runner
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """See the module."""
    if len(sys.argv) > 1:
        sys.exit(_live(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
    while line := sys.stdin.readline():
        _obey(line)


if __name__ == "__main__":
    main()
