"""The books of three parties, compared: the client's log, the carrier's log, the gateway's store.

*In*: both logs, and the stock after each life of the gateway. *Out*: nothing, or an AssertionError
that names the message. *Never*: a tolerance; what may come twice is worked out message by message.

A part *hangs* after a life if the carrier has it and the disk does not say so: it was written and
not yet journalled. Only such a part may be sent again, by the next life (design §2, promise 3).
"""

from typing import Final

import attrs

from smsc.message import LIVE, State
from tests.flow.logging_carrier import Copy, LoggingCarrier
from tests.flow.stock import Entry, Stock
from tests.flow.witness import ClientLog

Part = tuple[str, int]
UPSTREAM_WINDOW: Final = 20
"""Of the outlet, as the configuration of the harness has it."""


@attrs.define
class LifeReport:
    """What one life left behind."""

    messages: int
    hanging: set[Part]
    repeated: set[Part]
    """Parts that this life sent, and an earlier one, too."""

    @property
    def in_window(self) -> int:
        """Messages that hang; no more than the outlet's window."""
        return len({tag for tag, _ in self.hanging})


@attrs.define
class Books:
    """Compares after each life; remembers what must not change."""

    client: ClientLog
    carrier: LoggingCarrier
    forgotten: dict[int, Entry] = attrs.field(factory=dict)
    """Messages that history deleted, as they were last seen."""
    _before: Stock = attrs.field(factory=lambda: Stock({}, {}))
    _hanging: set[Part] = attrs.field(factory=set)

    def compare(self, stock: Stock, *, may_forget: bool = False) -> LifeReport:
        """Check everything that must hold after a life, however it ended."""
        self._check_vanished(stock, may_forget=may_forget)
        by_tag = stock.by_tag
        assert len(by_tag) == len(stock.by_id), "one letter, two messages"
        self._check_accepted(stock, by_tag)
        self._check_final_states(stock)
        self._check_deliveries(stock)
        self._check_acknowledged_receipts(by_tag)
        report = self._check_copies(by_tag)
        self._before, self._hanging = stock, report.hanging
        return report

    def check_finished(self, stock: Stock) -> None:
        """Check what must hold when nothing is left to do."""
        client, carrier = self.client, self.carrier
        assert stock.is_finished
        for tag, id_ in client.acknowledged.items():
            letter = client.letters[tag]
            for part in range(letter.parts):
                copies = carrier.copies.get((tag, part), [])
                assert any(copy.is_answered for copy in copies), f"{tag}, {id_}: never arrived"
        for mobile in carrier.mobiles:
            assert mobile.is_taken
            assert mobile.tag in client.mobiles, f"{mobile.tag} was lost on the way to the client"
        ended = (entry for entry in self.forgotten.values() if entry.is_final)
        for entry in (*stock.by_id.values(), *ended):
            is_wanted = client.letters[entry.tag].wants_receipt(entry.progress.state)
            assert (entry.id in client.receipts) == is_wanted, f"receipt of {entry}"

    # --- helpers -------------------------------------------------------------------------------

    def _check_vanished(self, stock: Stock, *, may_forget: bool) -> None:
        """Only history forgets, and only messages that are final."""
        vanished = self._before.by_id.keys() - stock.by_id.keys()
        assert may_forget or not vanished, f"vanished: {vanished}"
        for id_ in vanished:
            entry = self._before.by_id[id_]
            assert entry.is_final or self._may_have_ended(entry), f"{entry} was forgotten"
            self.forgotten[id_] = entry

    def _may_have_ended(self, entry: Entry) -> bool:
        letter = self.client.letters[entry.tag]
        copies = [self.carrier.copies.get((entry.tag, part), []) for part in range(letter.parts)]
        return all(any(copy.is_answered for copy in one) for one in copies)

    def _check_accepted(self, stock: Stock, by_tag: dict[str, Entry]) -> None:
        """What was acknowledged is there, under its id; what was refused is nowhere."""
        client = self.client
        for tag, id_ in client.acknowledged.items():
            assert client.letters[tag].is_routed
            if id_ in self.forgotten:
                continue
            assert id_ in stock.by_id, f"{tag} was acknowledged as {id_}, and is lost"
            assert stock.by_id[id_].tag == tag, f"{id_} was acknowledged for {tag}"
        for tag in client.refused:
            assert tag not in by_tag, f"{tag} was refused, and stored"
            assert (tag, 0) not in self.carrier.copies, f"{tag} was refused, and sent"

    def _check_final_states(self, stock: Stock) -> None:
        """A final state is never left, and is one that the carrier gave."""
        for id_, earlier in self._before.by_id.items():
            entry = stock.by_id.get(id_)
            if entry is not None and earlier.is_final:
                assert entry.progress.state == earlier.progress.state, (earlier, entry)
        for entry in stock.by_id.values():
            known = self._before.by_id.get(entry.id)
            if entry.is_final and (known is None or not known.is_final):
                self._check_fate(entry)

    def _check_fate(self, entry: Entry) -> None:
        letter = self.client.letters[entry.tag]
        given = {
            copy.state
            for part in range(letter.parts)
            for copy in self.carrier.copies.get((entry.tag, part), ())
        }
        assert entry.progress.state in given, (entry, given)

    def _check_deliveries(self, stock: Stock) -> None:
        """Receipts say what the store says; they come again only if they still waited."""
        client, life = self.client, self.client.life
        waited = self._before.waiting_receipts()
        waits = stock.waiting_receipts()
        for id_ in client.unanswered:
            assert id_ in waits, f"receipt of {id_}: not answered, and forgotten"
        for id_, receipts in client.receipts.items():
            states = {state for _, state in receipts}
            assert len(states) == 1, f"{id_} ended in {states}"
            entry = stock.by_id.get(id_)
            if entry is not None:
                assert {entry.progress.state} == states, f"{id_}: {entry} against {states}"
                letter = client.letters[entry.tag]
                assert letter.wants_receipt(entry.progress.state), f"{id_}: a receipt unasked for"
            lives = [one for one, _ in receipts]
            assert lives.count(life) <= 1, f"receipt of {id_}: twice in one life"
            if lives[-1] == life and len(lives) > 1:
                assert id_ in waited, f"receipt of {id_}: again, though it was taken"
        for entry in stock.by_id.values():
            if entry.is_final and client.letters[entry.tag].wants_receipt(entry.progress.state):
                assert entry.id in waits or entry.id in client.receipts, f"receipt of {entry}: lost"
        self._check_mobiles(stock)

    def _check_mobiles(self, stock: Stock) -> None:
        """What the gateway took of a handset is with the client, or waits for it."""
        waits = stock.waiting_mobiles()
        for mobile in self.carrier.mobiles:
            if mobile.is_taken:
                is_there = mobile.tag in waits or mobile.tag in self.client.mobiles
                assert is_there, f"{mobile.tag} was taken and is lost"

    def _check_acknowledged_receipts(self, by_tag: dict[str, Entry]) -> None:
        """A receipt that was answered ESME_ROK did its work, or waits for the response."""
        for (tag, part), copies in self.carrier.copies.items():
            entry = by_tag.get(tag)
            if entry is None or part >= len(entry.progress.parts):
                continue
            for copy in copies:
                if copy.receipts and entry.progress.upstream_ids[part] == copy.upstream_id:
                    self._check_matched(entry, part, copy)

    def _check_matched(self, entry: Entry, part: int, copy: Copy) -> None:
        is_open = State(entry.progress.parts[part]) in LIVE
        assert not is_open, f"{entry}, part {part}: the receipt of {copy} was taken and is lost"

    def _check_copies(self, by_tag: dict[str, Entry]) -> LifeReport:
        """Nothing left before it was on disk; nothing came twice that did not hang."""
        life = self.client.life
        report = LifeReport(len(by_tag), set(), set())
        for key, copies in self.carrier.copies.items():
            tag, part = key
            entry = by_tag.get(tag)
            if entry is None:
                is_forgotten = any(one.tag == tag for one in self.forgotten.values())
                assert is_forgotten, f"{tag}: sent, and not on disk"
                continue
            assert part < self.client.letters[tag].parts
            lives = [copy.life for copy in copies]
            assert lives.count(life) <= 1, f"{key}: sent twice in one life"
            if lives[-1] == life and len(lives) > 1:
                assert key in self._hanging, f"{key}: sent again, though the journal had it"
                report.repeated.add(key)
            if not entry.is_journalled(part):
                report.hanging.add(key)
        assert report.in_window <= UPSTREAM_WINDOW, f"more than a window hangs: {report}"
        return report
