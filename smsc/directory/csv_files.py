"""Phonebooks and inboxes as CSV files, for people and their spreadsheets.

*In*: text with a first line of headings, in any order; values of the directory.
*Out*: rows, or what is wrong by line; text. *Never*: a file opened; a number guessed at.

Contacts: name, number, email, tags, groups (codes with ";" between them).
Inbox: received (ISO 8601, UTC), kind, from, to, keyword, text, outlet.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from smsc.ports import Contact, InboxKind, Received

CONTACT_HEADINGS: Final = ("name", "number", "email", "tags", "groups")
INBOX_HEADINGS: Final = ("received", "kind", "from", "to", "keyword", "text", "outlet")
_NEEDED: Final = frozenset({"name", "number", "text"})

Row = dict[str, str]


def contact_row(contact: Contact) -> Row:
    """A contact as a row."""
    groups = ";".join(contact.groups)
    values = (contact.name, contact.number, contact.email, contact.tags, groups)
    return dict(zip(CONTACT_HEADINGS, values, strict=True))


def contact_of(row: Mapping[str, str]) -> Contact:
    """The contact that a row describes; it has no id yet."""
    groups = tuple(code for code in map(str.strip, row.get("groups", "").split(";")) if code)
    return Contact(
        name=row.get("name", "").strip(),
        number=row.get("number", "").strip(),
        email=row.get("email", "").strip(),
        tags=row.get("tags", "").strip(),
        groups=groups,
    )


def inbox_row(one: Received) -> Row:
    """A received message as a row."""
    received = datetime.fromtimestamp(one.received_ms / 1000, UTC).isoformat(
        timespec="milliseconds"
    )
    values = (
        received,
        str(one.kind),
        one.source,
        one.destination,
        one.keyword,
        one.text,
        one.outlet,
    )
    return dict(zip(INBOX_HEADINGS, values, strict=True))


def received_at(row: Mapping[str, str]) -> int | str:
    """When the message of a row was received, ms UTC; a sentence if it does not say so."""
    text = row.get("received", "")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return f"received: expected a time like 2026-11-28T07:00:00+00:00, found {text[:40]!r}"
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)


def kind_of(row: Mapping[str, str]) -> InboxKind | str:
    """How the message of a row came to lie there; a sentence if it does not say so."""
    text = row.get("kind", "") or InboxKind.INBOX
    try:
        return InboxKind(text)
    except ValueError:
        return f"kind: expected one of {', '.join(InboxKind)}, found {text[:40]!r}"


def to_csv(headings: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A file with a line of headings."""
    told = io.StringIO()
    writer = csv.DictWriter(told, headings, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue()


def from_csv(headings: Sequence[str], text: str) -> list[tuple[int, Row]] | str:
    """Rows with the line on which each ends; a sentence if the file is of another kind."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        found = [one.strip().casefold() for one in next(reader, [])]
        unknown = [one for one in found if one not in headings]
        missing = [one for one in headings if one in _NEEDED and one not in found]
        if unknown or missing:
            return (
                f"expected a first line of headings, some of {', '.join(headings)}; "
                f"found {', '.join(found)[:100] or 'nothing'}"
            )
        rows: list[tuple[int, Row]] = []
        for cells in reader:
            if len(cells) > len(found):
                return f"line {reader.line_num} has {len(cells)} cells, the headings {len(found)}"
            if any(cells):
                rows.append((reader.line_num, dict(zip(found, cells, strict=False))))
    except csv.Error as error:
        return f"line {reader.line_num}: {error}"
    return rows
