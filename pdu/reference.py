"""The slow twin: a plain walk of the tables, field by field.

*In*: a command_id and a body; or a PDU object.
*Out*: a PDU object or the first :class:`BodyError` by position; or octets.
*Never*: reads beyond a bound; knows any operation by name.

The oracle of :mod:`pdu.codec` (tests hold the two equal on good and mutated octets), the only
reader of field habits, and the walk behind ``python -m pdu explain``.
SMPP 3.4 §3, §4.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import attrs

from pdu.commands import command_name
from pdu.errors import BodyError
from pdu.fields import (
    ELEMENTS,
    TABLES,
    COctetString,
    CountedOctets,
    Field,
    Group,
    Integer,
    Pdu,
    Table,
    TimeString,
)
from pdu.status import Status
from pdu.tlvs import Tag, pack_tlv, parse_tlvs, tlv_value

TIME_OCTETS: Final = 17
UDHI: Final = 0x40


@attrs.frozen
class Habits:
    """Habits of peers that a careful reader may be told to bear; none by default.

    :ivar password_limit_octets: of bind and outbind, NUL included; the specification says 9.
    :ivar final_nul_may_miss: a string that ends with the body needs no NUL.
    """

    password_limit_octets: int = 9
    final_nul_may_miss: bool = False


STRICT: Final = Habits()


class Span(NamedTuple):
    """Where a field stood in the body: octets ``start`` to ``end``, NUL included."""

    name: str
    start: int
    end: int
    value: Any


def decode(command_id: int, body: bytes, command_status: int = 0, habits: Habits = STRICT) -> Pdu:
    """The PDU object of a body.

    :param command_status: of the header. A failed response whose body cannot be read counts as
        bodiless: the body of a failure says nothing that the status does not (3.4 §4.4.2).
    :raises BodyError: ESME_RINVCMDID for an unknown command_id, else the status of the first
        field at fault.
    """
    table = TABLES.get(command_id)
    if table is None:
        why = f"command_id {command_name(command_id)} is unknown"
        raise BodyError(Status.ESME_RINVCMDID, why)
    if table.may_lack_body and not body:
        return without_body(table)
    try:
        return _read_body(table, body, habits)
    except BodyError:
        if command_status and table.may_lack_body:
            return without_body(table)
        raise


def without_body(table: Table) -> Pdu:
    """The object of a response that has fields, but came without."""
    return table.cls(bodiless=True)  # type: ignore[call-arg]  # responses with fields have it


def _read_body(table: Table, body: bytes, habits: Habits) -> Pdu:
    walk = Walk(table, body, habits)
    values = walk.fields(table.fields)
    tlvs = parse_tlvs(body, walk.at, check_lengths=not table.tolerant)
    if not table.tolerant and values.get("esm_class", 0) & UDHI:
        check_udh(values.get("short_message", b""), tlv_value(tlvs, Tag.MESSAGE_PAYLOAD))
    return table.cls(**values, tlvs=tlvs)  # type: ignore[call-arg]  # all classes have it


def encode_body(pdu: Pdu) -> bytes:
    """The body of a PDU object; empty when it is ``bodiless``.

    :raises ValueError: names the field that does not fit its place on the wire.
    """
    if getattr(pdu, "bodiless", False):
        return b""
    parts = list(_encode_fields(TABLES[pdu.command_id].fields, pdu))
    parts.extend(pack_tlv(tag, value) for tag, value in pdu.tlvs)
    return b"".join(parts)


def encode_field(field: Field) -> Callable[[Any], bytes]:
    """The slow encoder of one field, for those that the fast codec leaves to it."""

    def encode_one(holder: Any) -> bytes:
        return b"".join(_encode_fields((field,), holder))

    return encode_one


def check_udh(short_message: bytes, message_payload: bytes | None) -> None:
    """With the UDH indicator set, the user data must hold its header.

    :raises BodyError: ESME_RINVESMCLASS when it has none, or one longer than the text.
    """
    text = short_message or message_payload or b""
    if not text:
        raise BodyError(Status.ESME_RINVESMCLASS, "UDH indicator without user data", "esm_class")
    if 1 + text[0] > len(text):
        why = f"user data header of {text[0]} octets in {len(text)} octets of text"
        raise BodyError(Status.ESME_RINVESMCLASS, why, "esm_class")


class Walk:
    """One pass over a body; ``at`` is the next octet, ``spans`` what was read so far."""

    def __init__(self, table: Table, body: bytes, habits: Habits = STRICT) -> None:
        self.table = table
        self.body = body
        self.habits = habits
        self.at = 0
        self.spans: list[Span] = []

    def fields(self, fields: tuple[Field, ...], prefix: str = "") -> dict[str, Any]:
        """Read fields in wire order.

        :raises BodyError: at the first that is cut off, too long or out of range.
        """
        return {field.name: self._field(field, prefix) for field in fields}

    def _field(self, field: Field, prefix: str) -> Any:
        name = prefix + field.name
        match field.kind:
            case Integer(octets, status, valid):
                return self._integer(name, octets, status, valid)
            case COctetString(limit, status):
                if field.name == "password":
                    limit = max(limit, self.habits.password_limit_octets)
                return self._string(name, limit, status)
            case TimeString(status):
                return self._time(name, status)
            case CountedOctets(count_name, status):
                return self._counted(name, prefix + count_name, status)
            case Group():
                return self._group(name, prefix, field.kind)

    def _take(self, name: str, octets: int) -> bytes:
        end = self.at + octets
        if end > len(self.body):
            raise self._cut_off(name)
        piece = self.body[self.at : end]
        self.at = end
        return piece

    def _integer(self, name: str, octets: int, status: Status, valid: frozenset[int] | None) -> int:
        start = self.at
        value = int.from_bytes(self._take(name, octets), "big")
        if valid is not None and value not in valid and not self.table.tolerant:
            raise BodyError(status, f"{name} may not be {value}", name)
        self.spans.append(Span(name, start, self.at, value))
        return value

    def _string(self, name: str, limit: int, status: Status) -> str:
        start = self.at
        nul = self.body.find(b"\0", start, start + limit)
        rest = len(self.body) - start
        if nul >= 0:
            self.at = nul + 1
        elif rest >= limit:
            raise BodyError(status, f"{name} is longer than {limit - 1} characters", name)
        elif self.habits.final_nul_may_miss and rest:
            nul = self.at = len(self.body)
        else:
            raise self._cut_off(name)
        value = self.body[start:nul].decode("latin-1")
        self.spans.append(Span(name, start, self.at, value))
        return value

    def _time(self, name: str, status: Status) -> str:
        start = self.at
        value = self._string(name, TIME_OCTETS, status)
        if len(value) not in {0, TIME_OCTETS - 1}:
            raise BodyError(status, f"{name} has {len(value)} characters, not 0 or 16", name)
        return value if start < self.at else ""

    def _counted(self, name: str, count_name: str, status: Status) -> bytes:
        count = self._integer(count_name, 1, status, None)
        start = self.at
        if start + count > len(self.body):
            rest = len(self.body) - start
            why = f"{count_name} {count} is beyond the {rest} octets that are left"
            raise BodyError(status, why, name)
        value = self._take(name, count)
        self.spans.append(Span(name, start, self.at, value))
        return value

    def _group(self, name: str, prefix: str, kind: Group) -> tuple[Any, ...]:
        count = self._integer(prefix + kind.count_name, 1, kind.count_status, None)
        if count < kind.at_least and not self.table.tolerant:
            why = f"{kind.count_name} may not be {count}"
            raise BodyError(kind.count_status, why, kind.count_name)
        elements = []
        for number in range(count):
            inner = f"{name}[{number}]."
            flag = None
            if None not in kind.variants:
                flag = self._integer(inner + "dest_flag", 1, kind.flag_status, None)
            cls = kind.variants.get(flag)
            if cls is None:
                raise BodyError(kind.flag_status, f"{inner}dest_flag may not be {flag}", name)
            elements.append(cls(**self.fields(ELEMENTS[cls], inner)))
        return tuple(elements)

    def _cut_off(self, name: str) -> BodyError:
        why = f"the body ends within {name}"
        return BodyError(Status.ESME_RINVCMDLEN, why, name)


def _encode_fields(fields: tuple[Field, ...], holder: Any) -> Iterator[bytes]:
    for field in fields:
        value = getattr(holder, field.name)
        match field.kind:
            case Integer(octets):
                yield _encode_integer(field.name, value, octets)
            case COctetString(limit):
                yield _encode_string(field.name, value, limit)
            case TimeString():
                if len(value) not in {0, TIME_OCTETS - 1}:
                    raise ValueError(f"{field.name} has {len(value)} characters, not 0 or 16")
                yield _encode_string(field.name, value, TIME_OCTETS)
            case CountedOctets(count_name):
                yield _encode_integer(count_name, len(value), 1)
                yield bytes(value)
            case Group():
                yield from _encode_group(field.name, field.kind, value)


def _encode_integer(name: str, value: int, octets: int) -> bytes:
    try:
        return value.to_bytes(octets, "big")
    except OverflowError as error:
        raise ValueError(f"{name} {value} does not fit {octets} octets") from error


def _encode_string(name: str, value: str, limit: int) -> bytes:
    """Longer passwords are written as given: whoever sets one knows the peer that takes it."""
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL")
    if len(value) >= limit and name != "password":
        raise ValueError(f"{name} is longer than {limit - 1} characters")
    try:
        return value.encode("latin-1") + b"\0"
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds characters beyond Latin-1") from error


def _encode_group(name: str, kind: Group, elements: tuple[Any, ...]) -> Iterator[bytes]:
    yield _encode_integer(kind.count_name, len(elements), 1)
    flags = {cls: flag for flag, cls in kind.variants.items()}
    for part in elements:
        if type(part) not in flags:
            raise ValueError(f"{name} may not hold {type(part).__name__}")
        flag = flags[type(part)]
        if flag is not None:
            yield bytes((flag,))
        yield from _encode_fields(ELEMENTS[type(part)], part)
