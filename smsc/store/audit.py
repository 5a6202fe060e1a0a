"""Looks at every record of a store and says what does not add up; changes nothing.

*In*: a data directory; a gateway may be running on it (LMDB lets several processes read).
*Out*: a `Report`. *Never*: a write; a guess about what a damaged record meant.

All is read in one transaction, so the report is of one moment. While it runs LMDB cannot use
pages again that are freed meanwhile: beside a busy gateway the file grows by that much.

What must hold (design §2, `docs/operate.md`):

- every record has the check sum that it was written with;
- accepted = final + live, and each of these has its message and its progress;
- a live message lies under an alarm, else its validity would never end;
- a part that a network took is known by its upstream id, else its receipt would never match.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from smsc.directory.ledger import Proof
from smsc.message import FINAL, LIVE, Delivery, MessageId, Progress, State
from smsc.ports import Control
from smsc.store import keys, records
from smsc.store.batch import (
    CORRUPT,
    DUE,
    IDEMPOTENCY,
    MESSAGE,
    PARKED,
    STATUS,
    TABLES,
    UPSTREAM,
)
from smsc.store.opening import Reading
from smsc.store.records import CorruptRecordError

_EXAMPLES: Final = 10
"""Keys named for each kind of damage; the count is of all."""


@attrs.define
class Damage:
    """One kind of damage: how often, and the first few keys in hex."""

    what: str
    count: int = 0
    examples: list[str] = attrs.field(factory=list)


@attrs.define
class Report:
    """What was found."""

    records: dict[str, int] = attrs.field(factory=dict)
    """Records of each table."""
    states: Counter[State] = attrs.field(factory=Counter)
    accepted: int = 0
    """Messages, those included whose record was set aside."""
    final: int = 0
    live: int = 0
    set_aside: int = 0
    """Records that a gateway met and found corrupt; they wait in `corrupt` for someone to look."""
    unused_upstream_ids: int = 0
    """Upstream ids of messages that are not there any more; harmless."""
    damages: list[Damage] = attrs.field(factory=list)

    @property
    def is_sound(self) -> bool:
        """Is nothing damaged, and does the ledger hold?"""
        return not self.damages and self.accepted == self.final + self.live

    def as_dict(self) -> Mapping[str, object]:
        """For machines."""
        return {
            "sound": self.is_sound,
            "accepted": self.accepted,
            "final": self.final,
            "live": self.live,
            "states": {state.name: self.states[state] for state in sorted(self.states)},
            "records": self.records,
            "set_aside": self.set_aside,
            "unused_upstream_ids": self.unused_upstream_ids,
            "damages": [attrs.asdict(one) for one in self.damages],
        }


def audit(data_dir: Path) -> Report:
    """Read the whole store in `data_dir`. `StoreOpenError` if it cannot be read at all."""
    with Reading(data_dir) as store, store.env.begin() as txn:
        return _Audit(txn, store.tables).report


@attrs.frozen
class SetAside:
    """A corrupt record that a gateway moved out of the way."""

    table: str
    key: str
    """Hex, as in the table that it was in."""
    record: str
    """Hex."""


def set_aside(data_dir: Path) -> Iterator[SetAside]:
    """The records that were set aside, oldest key first. `StoreOpenError` as for `audit`."""
    with Reading(data_dir) as store, store.env.begin(db=store.tables[CORRUPT]) as txn:
        for key, record in txn.cursor():
            yield SetAside(TABLES[key[0]], key[1:].hex(), record.hex())


class _Audit:
    """One walk over all tables, in one transaction."""

    def __init__(self, txn: Any, tables: tuple[Any, ...]) -> None:
        self._txn = txn
        self._tables = tables
        self._damages: dict[str, Damage] = {}
        self._live = array("Q")
        self.report = report = Report()
        report.records = {
            name: txn.stat(table)["entries"] for name, table in zip(TABLES, tables, strict=True)
        }
        self._check_statuses()
        self._check_messages()
        self._check_alarms()
        self._check_deliveries()
        self._check_upstreams()
        self._check_submissions()
        self._check_directory()
        report.set_aside = report.records[TABLES[CORRUPT]]
        report.damages = list(self._damages.values())

    def _rows(self, table: int) -> Iterator[tuple[bytes, bytes]]:
        with self._txn.cursor(db=self._tables[table]) as cursor:
            yield from cursor

    def _get(self, table: int, key: bytes) -> bytes | None:
        found: bytes | None = self._txn.get(key, db=self._tables[table])
        return found

    def _damaged(self, what: str, key: bytes) -> None:
        damage = self._damages.setdefault(what, Damage(what))
        damage.count += 1
        if len(damage.examples) < _EXAMPLES:
            damage.examples.append(key.hex())

    def _read(self, table: int, key: bytes, decode: Callable[..., Any], *record: object) -> Any:
        """What the record holds, or None after it was noted as damage."""
        try:
            return decode(*record)
        except (CorruptRecordError, ValueError):  # ValueError: a key that is none of ours
            self._damaged(f"records of {TABLES[table]!r} whose check sum does not fit", key)
            return None

    def _check_statuses(self) -> None:
        report = self.report
        sound, progress = b"", None
        for key, record in self._rows(STATUS):
            if record != sound:  # queued messages have equal records
                progress = self._read(STATUS, key, records.decode_progress, record)
                sound = record if progress is not None else b""
            if progress is None:
                continue
            report.states[progress.state] += 1
            if progress.state in LIVE:
                self._live.append(keys.id_of(key))
                self._check_parts(key, progress)
            if self._get(MESSAGE, key) is None and not self._is_set_aside(MESSAGE, key):
                self._damaged("messages without their text", key)
        report.final = sum(report.states[state] for state in FINAL)
        report.live = len(self._live)

    def _check_parts(self, key: bytes, progress: Progress) -> None:
        """Is each part that a network took known by the id that it got there?"""
        for part, upstream_id in zip(progress.parts, progress.upstream_ids, strict=False):
            if part == State.ENROUTE and upstream_id:
                upstream_key = keys.upstream_key(progress.outlet, upstream_id)
                known = self._get(UPSTREAM, upstream_key) is not None
                if not known and not self._is_set_aside(UPSTREAM, upstream_key):
                    self._damaged("messages whose upstream id is unknown", key)

    def _check_messages(self) -> None:
        report = self.report
        for key, record in self._rows(MESSAGE):
            id_ = keys.id_of(key)
            self._read(MESSAGE, key, records.decode_message, id_, record)
            report.accepted += 1
            if self._get(STATUS, key) is None:
                self._damaged("messages of which nobody knows how far they are", key)
        for key, _ in self._rows(CORRUPT):
            if key[0] == MESSAGE and self._get(STATUS, key[1:]) is not None:
                report.accepted += 1

    def _is_set_aside(self, table: int, key: bytes) -> bool:
        return self._get(CORRUPT, keys.corrupt_key(table, key)) is not None

    def _check_alarms(self) -> None:
        """Does each live message lie under an alarm?"""
        spans: list[tuple[int, int]] = []
        for key, record in self._rows(DUE):
            last = self._read(DUE, key, records.decode_last, key, record)
            if last is not None:
                spans.append((keys.due_of(key)[1], last))
        spans.sort()
        covered, at = -1, 0
        for id_ in self._live:
            while at < len(spans) and spans[at][0] <= id_:
                covered = max(covered, spans[at][1])
                at += 1
            if id_ > covered:
                self._damaged("live messages without an alarm", keys.id_key(MessageId(id_)))

    def _check_deliveries(self) -> None:
        for key, record in self._rows(PARKED):
            self._read(PARKED, key, _delivery, key, record)

    def _check_upstreams(self) -> None:
        for key, record in self._rows(UPSTREAM):
            found = self._read(UPSTREAM, key, records.decode_upstream, record)
            if found is not None and self._get(STATUS, keys.id_key(found[0])) is None:
                self.report.unused_upstream_ids += 1

    def _check_submissions(self) -> None:
        for key, record in self._rows(IDEMPOTENCY):
            self._read(IDEMPOTENCY, key, records.decode_remembered, key, record)

    def _check_directory(self) -> None:
        for table in (Control.ACCOUNT, Control.CONTACT, Control.INBOX, Control.ANSWER):
            for _ in self._control(table):
                pass
        proof = Proof(self._control(Control.BALANCE))
        for key, fields in self._control(Control.LEDGER):
            if not proof.add(key, fields):
                self._damaged("lines of the ledger without a balance", key)
        for account, credit_class in proof.disproved():
            key = keys.name_key(account, credit_class)
            self._damaged("balances that their ledger does not prove", key)

    def _control(self, table: Control) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
        for key, record in self._rows(table):
            fields = self._read(table, key, records.decode_control, key, record)
            if fields is not None:
                yield key, fields


def _delivery(key: bytes, record: bytes) -> Delivery:
    return records.decode_delivery(keys.mailbox_of(key), keys.id_of(key), record)
