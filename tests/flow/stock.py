"""What a gateway that was killed left on disk.

*In*: its data directory. *Out*: every message, how far it is, and what waits in the mailboxes.
*Never*: a change.
"""

from decimal import Decimal
from pathlib import Path

import attrs

from pdu.codec import peek_deliver_sm
from smsc.directory.ledger import movement_of
from smsc.message import FINAL, Delivery, Mailbox, Message, Progress, State
from smsc.ports import Control
from smsc.store import keys, records
from smsc.store.audit import audit
from smsc.store.batch import MESSAGE, PARKED, STATUS
from smsc.store.opening import Reading
from tests.flow.traffic import part_of

CREDIT = 1_000_000
"""What the campaign's account opens with; a part costs 1."""
UNPAID = {State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.DELETED}
CLIENT = Mailbox("demo")
EARLY = Mailbox("early:up")


@attrs.frozen
class Entry:
    """One message."""

    id: int
    tag: str
    progress: Progress

    @property
    def is_final(self) -> bool:
        return self.progress.state in FINAL

    def is_journalled(self, part: int) -> bool:
        """Does the disk say that this part was answered?"""
        parts = self.progress.parts
        return self.is_final or (part < len(parts) and parts[part] != State.QUEUED)


@attrs.frozen
class Stock:
    """One moment of the store."""

    by_id: dict[int, Entry]
    parked: dict[Mailbox, list[Delivery]]

    @property
    def by_tag(self) -> dict[str, Entry]:
        return {entry.tag: entry for entry in self.by_id.values()}

    @property
    def is_finished(self) -> bool:
        """Is every message final, and every delivery taken?"""
        return not self.parked.get(CLIENT) and all(one.is_final for one in self.by_id.values())

    def waiting_receipts(self) -> set[int]:
        """Messages whose receipt waits for the client."""
        return {one.message_id for one in self.parked.get(CLIENT, ()) if one.kind == "receipt"}

    def waiting_mobiles(self) -> set[str]:
        """Tags of handsets' messages that wait for the client."""
        return {part_of_delivery(one) for one in self.parked.get(CLIENT, ()) if one.kind == "mo"}

    def early_ids(self) -> set[str]:
        """Upstream ids of receipts that wait for the response that names them."""
        return {one.reference or "" for one in self.parked.get(EARLY, ())}


def part_of_delivery(delivery: Delivery) -> str:
    """The tag in a handset's message."""
    return part_of(delivery.body, peek_deliver_sm(delivery.body))[0]


class Stocktaker:
    """Reads one store again and again; a message never changes, so its tag is read once."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._tags: dict[int, str] = {}
        self.proofs = 0
        """How often the balance was seen to be what the messages on disk leave of it."""

    def take(self) -> Stock:
        """Everything, read in one transaction."""
        by_id: dict[int, Entry] = {}
        parked: dict[Mailbox, list[Delivery]] = {}
        with Reading(self._data_dir) as store, store.env.begin() as txn:
            for key, record in txn.cursor(db=store.tables[STATUS]):
                id_ = keys.id_of(key)
                if id_ not in self._tags:
                    text = txn.get(key, db=store.tables[MESSAGE])
                    assert text is not None, f"{id_} is without its text"
                    self._tags[id_] = _tag(records.decode_message(id_, text))
                by_id[id_] = Entry(id_, self._tags[id_], records.decode_progress(record))
            for key, record in txn.cursor(db=store.tables[PARKED]):
                mailbox = keys.mailbox_of(key)
                delivery = records.decode_delivery(mailbox, keys.id_of(key), record)
                parked.setdefault(mailbox, []).append(delivery)
        return Stock(by_id, parked)

    def check(self) -> None:
        """The ledger holds and no record is damaged."""
        report = audit(self._data_dir)
        assert report.is_sound, report.as_dict()
        assert report.accepted == report.final + report.live
        assert not report.set_aside, report.as_dict()
        self._check_credit()

    def _check_credit(self) -> None:
        """Each message was paid for in its own commit, and given back in that of its end.

        The audit has seen that the ledger comes to the balance. Once messages were forgotten
        nobody can say what theirs was, and only the cover of the others is looked at.
        """
        with Reading(self._data_dir) as store, store.env.begin() as txn:
            lines = [
                movement_of(key, records.decode_control(key, record))
                for key, record in txn.cursor(db=store.tables[Control.LEDGER])
            ]
            paid: dict[int, Decimal] = {}
            for key, record in txn.cursor(db=store.tables[MESSAGE]):
                message = records.decode_message(keys.id_of(key), record)
                assert message.charge is not None, f"{message.id} was not paid for"
                paid[message.id] = Decimal(message.charge[2])
            free = {
                keys.id_of(key)
                for key, record in txn.cursor(db=store.tables[STATUS])
                if records.decode_progress(record).state in UNPAID
            }
        debits = [one for one in lines if one.why == "messages"]
        for id_ in paid:
            assert any((one.first or 0) <= id_ <= (one.last or 0) for one in debits), id_
        left = sum((one.amount for one in lines), Decimal(0))
        if sum(-one.amount for one in debits) == sum(paid.values()):
            owed = sum((amount for id_, amount in paid.items() if id_ not in free), Decimal(0))
            assert left == CREDIT - owed, f"{left} left of {CREDIT}, {owed} was for messages"
            self.proofs += 1


def _tag(message: Message) -> str:
    return part_of(message.body, message.peek)[0]
