"""Receipts that no response has named yet, and the search for those whose ids are spelled otherwise.

*In*: parked receipts, with the key that a response should have. *Out*: those that were found.
*Never*: the disk, but for looking up ids; a search longer than some milliseconds a call.

A receipt that is early is found when its response comes. One whose id the carrier spells
otherwise never is: so each is searched for under other spellings after a second, and again after
longer times, since its response may be late. What is found tells the carrier's habit
(`pdu.receipt_ids`); from then on both ids have one key, and the look-up in time finds them.
"""

from collections.abc import ItemsView, Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Final

from pdu.receipt_ids import IdHabit
from smsc.message import Delivery, MessageId, OutletName
from smsc.ports import Store

Key = tuple[OutletName, str]
Hit = tuple[MessageId, int]

_AFTER_MS: Final = (1000, 5000, 30_000, 120_000, 600_000, 1_800_000)
"""After the receipt came; then it is left to its end."""
_SEARCHED: Final = 100
"""Receipts a call that are looked for under every spelling: about 100 look-ups each."""
_SEARCHED_LEARNED: Final = 2000
"""The same when the carrier's habit is known: about 10 look-ups each."""
MATCHED: Final = b"matched"
"""Under `letters_key`: receipts of known messages had letters in their ids."""
_SAMPLE: Final = 200
"""Ids of a carrier that are looked at for letters: neighbours in order, so few will do."""


class Early:
    """By outlet and key, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: dict[Key, Delivery] = {}
        self._searches: list[tuple[int, int, Key]] = []  # when, how many before, what
        self.doubts: list[tuple[OutletName, str, str]] = []
        """(outlet, the setting that would find it, id): a fixed setting is wrong; said once."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Delivery | None:
        """The receipt; None if there is none."""
        return self._entries.get(key)

    def items(self) -> ItemsView[Key, Delivery]:
        """All of them, oldest first."""
        return self._entries.items()

    def add(self, key: Key, early: Delivery, now_ms: int) -> None:
        """Keep a receipt that is on disk, or will be with the batch at hand."""
        self._entries[key] = early
        heappush(self._searches, (now_ms + _AFTER_MS[0], 0, key))

    def pop(self, key: Key) -> Delivery | None:
        """Remove and return the receipt; None if there is none."""
        return self._entries.pop(key, None)

    def search(
        self, habits: Mapping[OutletName, IdHabit], now_ms: int
    ) -> Iterable[tuple[OutletName, list[tuple[Delivery, Hit]], str]]:
        """Look for receipts whose time has come; what was found is removed from here.

        Yields (outlet, receipts with the parts they speak of, the id that taught a habit or "").
        """
        self._look_for_letters(habits, now_ms)
        found: dict[OutletName, list[tuple[Delivery, Hit]]] = {}
        learned: dict[OutletName, str] = {}
        budget = float(_SEARCHED)
        while self._searches and self._searches[0][0] <= now_ms and budget > 0:
            _, tries, key = heappop(self._searches)
            early = self._entries.get(key)
            outlet = key[0]
            habit = habits.get(outlet)
            if early is None or habit is None:
                continue
            is_as_it_came = habit.is_exact and not habit.is_auto
            if is_as_it_came and habit.doubt is None:
                continue
            thoroughly = habit.is_exact or tries > 0 or habit.doubt is not None
            budget -= 1 if thoroughly else _SEARCHED / _SEARCHED_LEARNED
            kept, hit = "", None
            if not is_as_it_came:
                kept, hit = self._look(habit, outlet, key[1], early.reference or "", thoroughly)
            if hit is None:
                self._doubt(habit, key, early.reference or "")
                if tries + 1 < len(_AFTER_MS):
                    again_ms = now_ms + _AFTER_MS[tries + 1]
                    heappush(self._searches, (again_ms, tries + 1, key))
                continue
            del self._entries[key]
            found.setdefault(outlet, []).append((early, hit))
            if habit.learn(kept, early.reference or ""):
                learned[outlet] = early.reference or ""
                self._spell_anew(outlet, habit, now_ms)
        return [(outlet, rows, learned.get(outlet, "")) for outlet, rows in found.items()]

    def _doubt(self, habit: IdHabit, key: Key, receipt_id: str) -> None:
        """Would another setting find it? Then people are told; nothing is matched by that."""
        if habit.doubt is None:
            return
        kept, hit = self._look(habit.doubt, *key, receipt_id, thoroughly=True)
        word = habit.doubts(kept, receipt_id) if hit is not None else ""
        if word:
            self.doubts.append((key[0], word, receipt_id))

    def _look_for_letters(self, habits: Mapping[OutletName, IdHabit], now_ms: int) -> None:
        """Before anything is taken for another spelling: do these carriers write letters?

        What earlier runs learned is not kept, but the ids of responses are, and that there were
        letters in receipts.
        """
        if not self._searches or self._searches[0][0] > now_ms:
            return
        for outlet, set_so in habits.items():
            habit = set_so.doubt or set_so
            if set_so.doubt is None and not set_so.is_curious:
                continue
            habit.note_responses(self._store.upstream_ids(outlet, _SAMPLE))
            theirs = (one.reference or "" for key, one in self._entries.items() if key[0] == outlet)
            habit.note_unknown([*islice(theirs, _SAMPLE)])
            if self._store.meta(letters_key(outlet)) == MATCHED:
                habit.receipts_have_letters = True

    def _look(
        self, habit: IdHabit, outlet: OutletName, key: str, receipt_id: str, thoroughly: bool
    ) -> tuple[str, Hit | None]:
        """(key, part) of the one part that a receipt can mean; two make it no one's."""
        wanted = [key, *habit.candidates(receipt_id)]
        if thoroughly:
            wanted += habit.padded_candidates(receipt_id)
        hits = {
            hit: kept
            for kept, hit in zip(wanted, self._store.upstreams(outlet, wanted), strict=True)
            if hit is not None
        }
        if len(hits) != 1:
            return "", None
        ((hit, kept),) = hits.items()
        return kept, hit

    def _spell_anew(self, outlet: OutletName, habit: IdHabit, now_ms: int) -> None:
        """The habit is known: keep the outlet's receipts under the keys that responses get now."""
        entries: dict[Key, Delivery] = {}
        searches = [one for one in self._searches if one[2][0] != outlet]
        for key, early in self._entries.items():
            now_key = key
            if key[0] == outlet:
                now_key = (outlet, habit.receipt_key(early.reference or ""))
                if now_key in entries:
                    now_key = key
                searches.append((now_ms, 0, now_key))
            entries[now_key] = early
        heapify(searches)
        self._entries, self._searches = entries, searches


def letters_key(outlet: OutletName) -> str:
    """Where `MATCHED` is kept when receipts of known messages had letters in their ids."""
    return f"letters:{outlet}"
