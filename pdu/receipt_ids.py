"""How a carrier's receipts name messages, as compared with its responses.

*In*: ids of submit_sm_resp and of receipts. *Out*: the key to keep an id under; the keys that it
may have been kept under; how two ids relate.
*Never*: a guess: two numbers that are equal only in different bases say nothing (`10` may be
0x10 = `16`, or another message), so the other base needs a letter, or a setting. And who writes
letters does not write decimals: responses with letters rule out that receipts alone are
hexadecimal, receipts with letters that responses alone are. Else the receipt `1e` of a message
that a crash forgot would be taken for message `30` of a carrier that writes both in hexadecimal.

A `IdHabit` belongs to one carrier. While it is SAME, ids are kept and looked up as they came.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pdu.receipt_text import IdMatch, relate_ids

_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,64}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,64}", re.ASCII)
_LONGEST_PADDED: Final = 20
"""Digits of the largest 64-bit number; ids padded with zeros are that long at most, or 32."""
_LENGTHS: Final = 8
_STRAYS_IN: Final = 16
"""So many unknown ids may have one with a letter, and still be decimals."""

RELATIONS: Final = {
    "same": IdMatch.SAME,
    "case": IdMatch.CASE,
    "padded": IdMatch.PADDED,
    "hex_then_decimal": IdMatch.HEX_THEN_DECIMAL,
    "decimal_then_hex": IdMatch.DECIMAL_THEN_HEX,
}
"""By the word that configuration files use."""


class IdHabit:
    """What is known of a carrier's ids.

    :param setting: "auto", or a word of `RELATIONS`, which then never changes.
    """

    def __init__(self, setting: str = "auto") -> None:
        self.is_auto = setting == "auto"
        self.relation = RELATIONS.get(setting, IdMatch.SAME)
        self.doubt = None if self.is_auto else _doubt_of(self.relation)
        """Looks, without a word to others, for what a wrong setting does not find; see `doubts`."""
        self._lengths: dict[int, None] = {}  # of ids that were found under another spelling
        self.responses_have_letters = False
        self.receipts_have_letters = False
        """In ids that were found as they came: those were this carrier's, without doubt."""
        self.unknown_have_letters = False
        """In ids that nobody knows, of now."""

    @property
    def is_exact(self) -> bool:
        """Are ids kept and looked up as they come?"""
        return self.relation is IdMatch.SAME

    @property
    def word(self) -> str:
        """The relation, as configuration files say it."""
        return next(word for word, relation in RELATIONS.items() if relation is self.relation)

    def response_key(self, id_: str) -> str:
        """What to keep an id of a response under."""
        match self.relation:
            case IdMatch.SAME:
                return id_
            case IdMatch.CASE:
                return id_.lower()
            case IdMatch.HEX_THEN_DECIMAL:
                return _to_decimal(id_) or _stripped(id_)
            case _:
                return _stripped(id_)

    def receipt_key(self, id_: str) -> str:
        """What the id of a receipt was kept under."""
        match self.relation:
            case IdMatch.SAME:
                return id_
            case IdMatch.CASE:
                return id_.lower()
            case IdMatch.DECIMAL_THEN_HEX:
                return _to_decimal(id_) or _stripped(id_)
            case _:
                return _stripped(id_)

    @property
    def is_curious(self) -> bool:
        """Could a receipt still teach that the bases differ?"""
        bases_known = self.responses_have_letters and self.receipts_have_letters
        return self.is_auto and self.is_exact and not bases_known

    def note_responses(self, ids: Iterable[str]) -> None:
        """Ids of responses, to be asked for while `is_curious`."""
        self.responses_have_letters = self.responses_have_letters or _has_letters(ids)

    def note_receipts(self, ids: Sequence[str], known: Sequence[object]) -> None:
        """Ids of receipts, parallel to what is known of each; to be asked for while `is_curious`."""
        if _has_letters(ids):
            theirs = (id_ for id_, found in zip(ids, known, strict=True) if found is not None)
            self.receipts_have_letters = self.receipts_have_letters or _has_letters(theirs)

    def note_unknown(self, ids: Sequence[str]) -> None:
        """All ids of receipts (or a sample) whose messages are not known, of now.

        A few with letters among many without are strays: of ids in hexadecimal every third has one.
        """
        lettered = sum(not id_.isdigit() for id_ in ids)
        self.unknown_have_letters = lettered * _STRAYS_IN > len(ids)

    def learn(self, kept: str, receipt_id: str) -> bool:
        """These were one message: change the habit if that says more; True if it did.

        Case is part of "padded"; a base is never given up for what says less.
        """
        if len(self._lengths) < _LENGTHS:
            self._lengths[len(kept)] = None
        found = relate_ids(kept, receipt_id)
        if not self.is_auto or found not in _RANK or _RANK[found] <= _RANK[self.relation]:
            return False
        self.relation = found
        return True

    def doubts(self, kept: str, receipt_id: str) -> str:
        """The setting that these two, found by `doubt`, ask for; "" if none. Said once."""
        if self.doubt is None or not self.doubt.learn(kept, receipt_id):
            return ""
        word, self.doubt = self.doubt.word, None
        return word

    def candidates(self, receipt_id: str) -> list[str]:
        """Keys that the message may have been kept under, apart from `receipt_key`; few."""
        forms = list(self._forms(receipt_id))
        wanted = dict.fromkeys(forms)
        for length in self._lengths:
            wanted.update(dict.fromkeys(form.zfill(length) for form in forms))
        wanted.pop(self.receipt_key(receipt_id), None)
        return list(wanted)

    def padded_candidates(self, receipt_id: str) -> list[str]:
        """The same with zeros in front, to every usual length; many."""
        wanted: dict[str, None] = {}
        for form in self._forms(_stripped(receipt_id)):
            if _HEX.fullmatch(form):
                lengths = (*range(len(form) + 1, _LONGEST_PADDED + 1), 32)
                wanted.update(dict.fromkeys(form.zfill(length) for length in lengths))
        wanted.pop(receipt_id, None)
        return list(wanted)

    def _forms(self, receipt_id: str) -> Iterator[str]:
        """The id in other case, without zeros, in the other base where nobody can be mistaken."""
        stripped = _stripped(receipt_id)
        yield from (receipt_id, receipt_id.lower(), receipt_id.upper(), stripped, stripped.upper())
        bases = self.relation in {IdMatch.HEX_THEN_DECIMAL, IdMatch.DECIMAL_THEN_HEX}
        guesses = self.is_auto and not bases
        if (guesses and not (self.receipts_have_letters or self.unknown_have_letters)) or (
            self.relation is IdMatch.HEX_THEN_DECIMAL
        ):
            as_hex = f"{int(stripped):x}" if _DECIMAL.fullmatch(stripped) else ""
            if as_hex and (bases or not as_hex.isdigit()):
                yield from (as_hex, as_hex.upper())
        if (guesses and not self.responses_have_letters) or (
            self.relation is IdMatch.DECIMAL_THEN_HEX
        ):
            as_decimal = _to_decimal(receipt_id)
            if as_decimal and (bases or not receipt_id.isdigit()):
                yield as_decimal


_RANK: Final = {
    IdMatch.SAME: 0,
    IdMatch.CASE: 1,
    IdMatch.PADDED: 2,
    IdMatch.HEX_THEN_DECIMAL: 3,
    IdMatch.DECIMAL_THEN_HEX: 3,
}


def _doubt_of(setting: IdMatch) -> IdHabit | None:
    """None for a setting that changes the base: what came in the other one is not kept."""
    if _RANK[setting] >= _RANK[IdMatch.HEX_THEN_DECIMAL]:
        return None
    doubt = IdHabit()
    doubt.relation = setting
    return doubt


def _has_letters(ids: Iterable[str]) -> bool:
    together = "".join(ids)
    return bool(together) and not together.isdigit()


def _stripped(id_: str) -> str:
    return id_.lower().lstrip("0") or "0"


def _to_decimal(id_: str) -> str | None:
    return str(int(id_, 16)) if _HEX.fullmatch(id_) else None
