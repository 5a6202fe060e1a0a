"""Writes the fast codec: Python source for each table, compiled once at import.

*In*: the tables of :mod:`pdu.fields`.
*Out*: one decoder and one encoder function for each PDU, and lazy decoders; their source is
    registered with :mod:`linecache`, so tracebacks and debuggers show it.
*Never*: words an error: what the quick check refuses goes to the slow twin, which raises.

The idea: one bounded regular expression over the mandatory part is the check of all lengths.
It captures *pieces*: runs of fields that hardly vary from message to message, whose values are
read once and looked up from then on, and the strings that do vary, each on its own. Only sound
pieces enter a cache; a full cache is emptied, never grown. Encoding is the same backwards.
"""

import linecache
import re
from collections.abc import Callable
from typing import Any, Final

from pdu import reference
from pdu.commands import Command, command_name
from pdu.elements import element_reader
from pdu.errors import BodyError
from pdu.fields import (
    COctetString,
    CountedOctets,
    Field,
    Group,
    Integer,
    Pdu,
    Table,
    TimeString,
)
from pdu.pieces import DecodedPieces, EncodedPieces, TlvHeads, field_pattern
from pdu.reference import UDHI
from pdu.tlvs import Tag, find_tlv, tlv_value

# A longer body is cut to its mandatory part before it becomes text.
WHOLE_IS_CHEAPER_OCTETS: Final = 400

# The one string that varies from message to message; elsewhere every string is taken to vary.
_VARYING: Final[dict[int, str]] = {
    Command.SUBMIT_SM: "destination_addr",
    Command.DELIVER_SM: "source_addr",
}

Run = tuple[Field, ...]


def compile_decoder(table: Table, cls: type[Any], *, lazy: bool) -> Callable[[bytes], Any]:
    """The decoder of one PDU.

    :param cls: what it makes; with ``lazy`` :class:`pdu.peek.SubmitPeek`, whose text and TLVs
        stay in the body.
    """
    name = f"{'peek' if lazy else 'decode'}_{command_name(table.command_id)}"
    source, names = _Decoder(table, lazy=lazy).write(name)
    return _compile(name, source, names | {"cls": cls, "new": object.__new__})


def compile_encoder(table: Table) -> Callable[[Any], bytes]:
    """The encoder of one PDU's body."""
    name = f"encode_{command_name(table.command_id)}"
    source, names = _write_encoder(table, name)
    return _compile(name, source, names)


def stages_of(table: Table) -> list[tuple[list[Run], Field | None]]:
    """Fields cut into stages; each ends at a counted field (None: at the end of the table).

    Within a stage the runs alternate: several fields make a piece, one varying string stands
    alone.
    """
    stages: list[tuple[list[Run], Field | None]] = []
    runs: list[Run] = []
    run: list[Field] = []
    for field in table.fields:
        counted = isinstance(field.kind, CountedOctets | Group)
        if counted or _varies(table, field):
            if run:
                runs.append(tuple(run))
            run = []
        if counted:
            stages.append((runs, field))
            runs = []
        elif _varies(table, field):
            runs.append((field,))
        else:
            run.append(field)
    if run:
        runs.append(tuple(run))
    if runs:
        stages.append((runs, None))
    return stages


def _varies(table: Table, field: Field) -> bool:
    varying = _VARYING.get(table.command_id)
    if varying is not None:
        return field.name == varying
    return isinstance(field.kind, COctetString | TimeString) and field.name != "service_type"


class _Decoder:
    """Collects the lines of one decoder and the names that they use."""

    def __init__(self, table: Table, *, lazy: bool) -> None:
        self.table = table
        self.lazy = lazy
        self.lines: list[str] = []
        heads = TlvHeads(check_lengths=not table.tolerant)
        self.names: dict[str, Any] = {
            "fault": _fault_of(table),
            "known_head": heads.known.get,
            "read_head": heads.read,
        }

    def write(self, name: str) -> tuple[str, dict[str, Any]]:
        add = self.lines.append
        add(f"def {name}(body):")
        if self.table.may_lack_body:
            add("    if not body:")
            add("        return cls(bodiless=True)")
        add("    octets = len(body)")
        add("    at = 0")
        self._write_window()
        add("    pdu = new(cls)")
        for number, (runs, counted) in enumerate(stages_of(self.table)):
            self._write_stage(number, runs, counted)
        self._write_tlvs()
        self._write_udh()
        if self.table.may_lack_body:
            add("    pdu.bodiless = False")
        add("    return pdu")
        return "\n".join(self.lines) + "\n", self.names

    def _write_window(self) -> None:
        """Text of the mandatory part; all of it where a group makes its length unknown."""
        fields = self.table.fields
        if not fields:
            return
        if any(isinstance(field.kind, Group) for field in fields):
            self.lines.append('    text = body.decode("latin-1")')
            return
        longest = sum(_longest(field) for field in fields)
        self.lines.append(
            f"    text = (body if octets < {WHOLE_IS_CHEAPER_OCTETS} else body[:{longest}])"
            '.decode("latin-1")'
        )

    def _write_stage(self, number: int, runs: list[Run], counted: Field | None) -> None:
        add = self.lines.append
        captured = [f"run_{number}_{index}" for index in range(len(runs))]
        pattern = "".join(_run_pattern(run) for run in runs) + ("." if counted else "")
        self.names[f"match_{number}"] = re.compile(pattern, re.DOTALL).match
        add(
            f"    found = match_{number}(text, at)"
            if number
            else f"    found = match_{number}(text)"
        )
        add("    if found is None:")
        add("        raise fault(body)")
        if captured:
            add(f"    {', '.join(captured)}, = found.groups()")
        for name, run in zip(captured, runs, strict=True):
            if len(run) == 1 and not isinstance(run[0].kind, Integer):
                add(f"    pdu.{run[0].name} = {name}")
            else:
                self._write_piece(name, run)
        add("    at = found.end()")
        if counted is None:
            return
        if isinstance(counted.kind, Group):
            self.names[f"read_{counted.name}"] = element_reader(
                counted.kind, tolerant=self.table.tolerant
            )
            add(f"    elements = read_{counted.name}(text, at, body[at - 1])")
            add("    if elements is None:")
            add("        raise fault(body)")
            add(f"    pdu.{counted.name}, at = elements")
        else:
            self._write_counted(counted)

    def _write_piece(self, name: str, run: Run) -> None:
        pieces = DecodedPieces(run, tolerant=self.table.tolerant)
        self.names[f"known_{name}"] = pieces.known.get
        self.names[f"read_{name}"] = pieces.read
        add = self.lines.append
        add(f"    values = known_{name}({name}) or read_{name}({name})")
        add("    if values is None:")
        add("        raise fault(body)")
        add(f"    {', '.join(f'pdu.{field.name}' for field in run)}, = values")

    def _write_counted(self, counted: Field) -> None:
        add = self.lines.append
        if self.lazy:
            add("    pdu.text_at = at")
            add("    pdu.sm_length = count = body[at - 1]")
            add("    pdu.tlvs_at = at = at + count")
            return
        add("    end = at + body[at - 1]")
        add("    if end > octets:")
        add("        raise fault(body)")
        add(f"    pdu.{counted.name} = body[at:end]")
        add("    at = end")

    def _write_tlvs(self) -> None:
        """The walk must end exactly at the last octet; a text cut off has passed it already."""
        keep = not self.lazy
        template = (
            """
    if at == octets:
        pdu.tlvs = ()
    else:
        tlvs = []
        while at < octets:
            head = body[at:at + 4]
            head = known_head(head) or read_head(head)
            if head is None:
                raise fault(body)
            tag, length = head
            start = at + 4
            at = start + length
            tlvs.append((tag, body[start:at]))
        if at != octets:
            raise fault(body)
        pdu.tlvs = tuple(tlvs)"""
            if keep
            else """
    while at < octets:
        head = body[at:at + 4]
        head = known_head(head) or read_head(head)
        if head is None:
            raise fault(body)
        at += 4 + head[1]
    if at != octets:
        raise fault(body)"""
        )
        self.lines.extend(template.strip("\n").split("\n"))

    def _write_udh(self) -> None:
        named = {field.name for field in self.table.fields}
        if self.table.tolerant or "esm_class" not in named:
            return
        self.names["payload_in"] = _payload_in
        self.names["payload_of"] = _payload_of
        if self.lazy:
            text = "body[pdu.text_at:pdu.tlvs_at] or payload_in(body, pdu.tlvs_at)"
        elif "short_message" in named:
            text = "pdu.short_message or payload_of(pdu)"
        else:
            text = "payload_of(pdu)"
        add = self.lines.append
        add(f"    if pdu.esm_class & {UDHI}:")
        add(f"        user_data = {text}")
        add("        if not user_data or user_data[0] >= len(user_data):")
        add("            raise fault(body)")


def _payload_in(body: bytes, tlvs_at: int) -> bytes | None:
    return find_tlv(body, tlvs_at, Tag.MESSAGE_PAYLOAD)


def _payload_of(pdu: Pdu) -> bytes | None:
    return tlv_value(pdu.tlvs, Tag.MESSAGE_PAYLOAD)


def _run_pattern(run: Run) -> str:
    if len(run) == 1 and isinstance(run[0].kind, COctetString | TimeString):
        # The string is captured without its NUL.
        return f"({field_pattern(run[0].kind, None)[:-2]})\\0"
    return "(" + "".join(field_pattern(field.kind, None) for field in run) + ")"


def _longest(field: Field) -> int:
    match field.kind:
        case Integer(octets):
            return octets
        case COctetString(limit):
            return limit
        case TimeString():
            return reference.TIME_OCTETS
    return 1


def _write_encoder(table: Table, name: str) -> tuple[str, dict[str, Any]]:
    heads = TlvHeads(check_lengths=False)
    names: dict[str, Any] = {
        "slow": reference.encode_body,
        "known_head": heads.packed.get,
        "pack_head": heads.pack,
        "one": [bytes((value,)) for value in range(256)],
    }
    lines = [f"def {name}(pdu):"]
    add = lines.append
    if table.may_lack_body:
        add("    if pdu.bodiless:")
        add('        return b""')
    parts: list[str] = []
    strings: list[tuple[str, int]] = []
    for number, (runs, counted) in enumerate(stages_of(table)):
        for index, run in enumerate(runs):
            _encode_run(run, f"run_{number}_{index}", lines, names, parts, strings)
        if counted is not None:
            _encode_counted(counted, lines, names, parts)
    if strings:
        add("    try:")
        for field_name, limit in strings:
            add(f"        text = pdu.{field_name}")
            add(f'        if len(text) > {limit} or "\\0" in text:')
            add("            return slow(pdu)")
            add(f'        {field_name} = text.encode("latin-1")')
        add("    except UnicodeEncodeError:")
        add("        return slow(pdu)")
    # Neighbours that are literals become one.
    body = ", ".join(parts).replace('b"\\0", b"\\0"', 'b"\\0\\0"')
    add("    if not pdu.tlvs:")
    add(f"        return {_joined(parts)}")
    add(f"    parts = [{body}]")
    add("    for tag, value in pdu.tlvs:")
    add("        head = known_head((tag, len(value))) or pack_head(tag, len(value))")
    add("        if head is None:")
    add("            return slow(pdu)")
    add("        parts += (head, value)")
    add('    return b"".join(parts)')
    return "\n".join(lines) + "\n", names


def _joined(parts: list[str]) -> str:
    if not parts:
        return 'b""'
    return f'b"".join(({", ".join(parts)},))'


def _encode_run(
    run: Run,
    name: str,
    lines: list[str],
    names: dict[str, Any],
    parts: list[str],
    strings: list[tuple[str, int]],
) -> None:
    """A piece is looked up by its values; a varying string is checked and encoded."""
    kind = run[0].kind
    if len(run) == 1 and isinstance(kind, COctetString):
        strings.append((run[0].name, kind.limit - 1))
        parts.extend((run[0].name, 'b"\\0"'))
        return
    pieces = EncodedPieces(run)
    names[f"known_{name}"] = pieces.known.get
    names[f"make_{name}"] = pieces.make
    lines.append(f"    key = ({', '.join(f'pdu.{field.name}' for field in run)},)")
    lines.append(f"    {name} = known_{name}(key) or make_{name}(key)")
    lines.append(f"    if {name} is None:")
    lines.append("        return slow(pdu)")
    parts.append(name)


def _encode_counted(
    counted: Field, lines: list[str], names: dict[str, Any], parts: list[str]
) -> None:
    if isinstance(counted.kind, Group):
        names[f"encode_{counted.name}"] = reference.encode_field(counted)
        lines.append(f"    {counted.name} = encode_{counted.name}(pdu)")
        parts.append(counted.name)
        return
    lines.append(f"    {counted.name} = pdu.{counted.name}")
    lines.append(f"    if len({counted.name}) > 255:")
    lines.append("        return slow(pdu)")
    parts.extend((f"one[len({counted.name})]", counted.name))


def _fault_of(table: Table) -> Callable[[bytes], BodyError]:
    """What is wrong with a body that the quick check refused, in the words of the slow twin."""

    def fault(body: bytes) -> BodyError:
        try:
            reference.decode(table.command_id, body)
        except BodyError as error:
            return error
        name = command_name(table.command_id)
        raise AssertionError(f"the two codecs disagree about {name} {body.hex()}")

    return fault


def _compile(name: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
    filename = f"<generated {name}>"
    code = compile(source, filename, "exec")
    namespace = dict(names)
    exec(code, namespace)  # noqa: S102  # our own text, written from our own tables
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    made: Callable[..., Any] = namespace[name]
    return made
