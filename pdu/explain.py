"""An annotated reading of octets: every one accounted for, what is unknown named as such.

*In*: octets, one or more PDUs, whole or broken.
*Out*: :class:`Part` after part without a gap; as lines for people or as plain data.
*Never*: stops at a fault: it says what is wrong and goes on as far as the position holds.
"""

from collections.abc import Iterator
from typing import Any, Final

import attrs

from pdu import codec
from pdu.commands import command_name, is_response
from pdu.errors import BodyError
from pdu.fields import TABLES, Table
from pdu.framer import HEADER_OCTETS
from pdu.meanings import field_meaning, text_meaning, tlv_meaning
from pdu.reference import UDHI, Habits, Span, Walk
from pdu.status import status_meaning, status_name
from pdu.tlvs import HEAD_OCTETS, Tag, tag_name

# As tolerant as reading can be: the strict reading follows and says what it would refuse.
_LENIENT: Final = Habits(password_limit_octets=256, final_nul_may_miss=True)
# Octets shown in one line.
_ROW: Final = 20
_HEADER_FIELDS: Final = ("command_length", "command_id", "command_status", "sequence_number")


@attrs.frozen
class Part:
    """Octets ``start`` to ``end`` of the input; ``fault`` is "" where nothing is wrong."""

    start: int
    end: int
    octets: bytes
    name: str
    value: Any
    meaning: str = ""
    fault: str = ""


def explain(octets: bytes) -> list[Part]:
    """All octets, in order, in parts that touch."""
    parts: list[Part] = []
    at = 0
    while at < len(octets):
        found = list(_one_pdu(octets, at))
        parts += found
        at = found[-1].end
    return parts


def as_text(parts: list[Part]) -> str:
    """A line for each part, more where its octets need them; a PDU begins at a blank line."""
    lines: list[str] = []
    for part in parts:
        if part.name == "command_length" and lines:
            lines.append("")
        rows = [part.octets[at : at + _ROW] for at in range(0, len(part.octets), _ROW)] or [b""]
        value = "" if isinstance(part.value, bytes) else f" {part.value!r}"
        line = f"{part.start:5}  {rows[0].hex():<{2 * _ROW}}  {part.name}{value}"
        line += f"  — {part.meaning}" if part.meaning else ""
        lines.append(line + (f"  !! {part.fault}" if part.fault else ""))
        lines += [
            f"{part.start + number * _ROW:5}  {row.hex()}"
            for number, row in enumerate(rows[1:], start=1)
        ]
    return "\n".join(lines)


def as_data(parts: list[Part]) -> list[dict[str, Any]]:
    """The same for machines: octets and raw values as hex."""
    data = []
    for part in parts:
        value = part.value.hex() if isinstance(part.value, bytes) else part.value
        data.append(attrs.asdict(part) | {"octets": part.octets.hex(), "value": value})
    return data


def _one_pdu(octets: bytes, at: int) -> Iterator[Part]:
    rest = octets[at:]
    if len(rest) < HEADER_OCTETS:
        fault = f"a header has {HEADER_OCTETS} octets"
        yield Part(at, len(octets), rest, "cut off header", rest, fault=fault)
        return
    numbers = [int.from_bytes(rest[i : i + 4], "big") for i in range(0, HEADER_OCTETS, 4)]
    length, command_id, command_status, _ = numbers
    framing = ""
    if length < HEADER_OCTETS:
        framing = "shorter than the header: the position is lost"
    elif length > len(rest):
        framing = f"{length - len(rest)} octets are missing"
    meanings = (
        "octets in all",
        command_name(command_id),
        _status_meaning(command_id, command_status),
        "",
    )
    faults = (framing, "" if command_id in TABLES else "unknown operation", "", "")
    for index, name in enumerate(_HEADER_FIELDS):
        start = at + 4 * index
        yield Part(
            start,
            start + 4,
            octets[start : start + 4],
            name,
            numbers[index],
            meanings[index],
            faults[index],
        )
    body_at = at + HEADER_OCTETS
    end = len(octets) if framing else at + length
    body = octets[body_at:end]
    if length < HEADER_OCTETS:
        if body:
            yield Part(body_at, end, body, "unreadable", body, fault="behind a lost position")
    elif command_id not in TABLES:
        if body:
            yield Part(body_at, end, body, "body", body, "of an unknown operation")
    else:
        yield from _body(TABLES[command_id], body, body_at)


def _status_meaning(command_id: int, command_status: int) -> str:
    if not is_response(command_id):
        return "ignored in a request" if command_status else "none, this is a request"
    return f"{status_name(command_status)}: {status_meaning(command_status)}"


def _body(table: Table, body: bytes, body_at: int) -> Iterator[Part]:
    """Fields as far as they can be read at all, then TLVs; the strict verdict where it belongs.

    A verdict that no part carries stands at the end, on no octets.
    """
    if not body and table.may_lack_body:
        return
    fault, faulty = _strict_fault(table.command_id, body)
    walk = Walk(attrs.evolve(table, tolerant=True), body, _LENIENT)
    unreadable = ""
    try:
        walk.fields(table.fields)
    except BodyError as error:
        unreadable = f"unreadable {error.field}"
    values = {span.name: span.value for span in walk.spans}
    for span in walk.spans:
        blame = fault if span.name == faulty else ""
        fault = "" if blame else fault
        yield _field_part(span, values, body, body_at, blame)
    read = walk.spans[-1].end if walk.spans else 0
    if not unreadable:
        for part in _tlvs(body, body_at, read, values, fault):
            fault = "" if part.fault else fault
            yield part
    elif read < len(body):
        yield _part(body, body_at, read, len(body), unreadable, fault=fault)
        fault = ""
    if fault:
        yield _part(body, body_at, len(body), len(body), "verdict", fault=fault)


def _strict_fault(command_id: int, body: bytes) -> tuple[str, str]:
    try:
        codec.decode(command_id, body)
    except BodyError as error:
        return str(error), error.field
    return "", ""


def _field_part(span: Span, values: dict[str, Any], body: bytes, body_at: int, fault: str) -> Part:
    if span.name == "short_message":
        meaning = _text(span.value, values)
    else:
        meaning = field_meaning(span.name, span.value)
    return Part(
        body_at + span.start,
        body_at + span.end,
        body[span.start : span.end],
        span.name,
        span.value,
        meaning,
        fault,
    )


def _text(data: bytes, values: dict[str, Any]) -> str:
    has_udh = bool(values.get("esm_class", 0) & UDHI)
    return text_meaning(data, values.get("data_coding", 0), has_udh=has_udh) if data else ""


def _tlvs(body: bytes, body_at: int, at: int, values: dict[str, Any], fault: str) -> Iterator[Part]:
    """Each TLV one part; a fault of the TLV area stands on the first TLV that shows it."""
    while at < len(body):
        if at + HEAD_OCTETS > len(body):
            yield _part(body, body_at, at, len(body), "cut off TLV", fault=fault)
            return
        tag = int.from_bytes(body[at : at + 2], "big")
        octets = int.from_bytes(body[at + 2 : at + 4], "big")
        end = at + HEAD_OCTETS + octets
        if end > len(body):
            yield _part(body, body_at, at, len(body), f"cut off TLV {tag_name(tag)}", fault=fault)
            return
        value = body[at + HEAD_OCTETS : end]
        is_text = tag == Tag.MESSAGE_PAYLOAD
        meaning = _text(value, values) if is_text else tlv_meaning(tag, value)
        blame = fault if fault and tag_name(tag) in fault else ""
        fault = "" if blame else fault
        yield Part(
            body_at + at, body_at + end, body[at:end], f"TLV {tag_name(tag)}", value, meaning, blame
        )
        at = end


def _part(body: bytes, body_at: int, start: int, end: int, name: str, *, fault: str) -> Part:
    octets = body[start:end]
    return Part(body_at + start, body_at + end, octets, name, octets, fault=fault)
