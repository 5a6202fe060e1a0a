"""Writes the fast decoders: Python source for each table, compiled once at import.

*In*: a table of :mod:`pdu.fields`.
*Out*: its decoder, or its lazy decoder.
*Never*: words an error: what the quick check refuses goes to the slow twin, which raises.

Three steps, each taken only when the one before does not know.
First the *guess*: the messages of one read mostly share their shape, so the pieces around the
varying string are looked up where they stood last time. A piece in a cache is sound, and no
sound piece is the beginning of another, so a hit cannot be wrong whatever the guess was.
Then one bounded regular expression over the mandatory part, which captures pieces and strings.
Then :mod:`pdu.reference`.
"""

import re
from collections.abc import Callable
from typing import Any

from pdu import reference
from pdu.commands import command_name
from pdu.elements import element_reader
from pdu.errors import BodyError
from pdu.fields import CountedOctets, Field, Group, Pdu, Table
from pdu.pieces import AREA_OCTETS, DecodedPieces, TlvAreas, field_pattern
from pdu.reference import UDHI
from pdu.stages import Run, compile_function, stages_of, stands_alone
from pdu.tlvs import Tag, find_tlv, tlv_value


def compile_decoder(table: Table, cls: type[Any], *, lazy: bool) -> Callable[[bytes], Any]:
    """The decoder of one PDU.

    :param cls: what it makes; with ``lazy`` :class:`pdu.peek.SubmitPeek`, whose text and TLVs
        stay in the body.
    """
    name = f"{'peek' if lazy else 'decode'}_{command_name(table.command_id)}"
    writer = _Writer(table, lazy=lazy)
    source = writer.write(name)
    names = writer.names | {"cls": cls, "new": object.__new__}
    return compile_function(name, source, names)


class _Writer:
    """Collects the lines of one decoder and the names that they use."""

    def __init__(self, table: Table, *, lazy: bool) -> None:
        self.table = table
        self.lazy = lazy
        self.lines: list[str] = []
        areas = TlvAreas(check_lengths=not table.tolerant)
        self.names: dict[str, Any] = {
            "fault": _fault_of(table),
            "known_area": areas.known.get,
            "read_area": areas.read,
        }

    def write(self, name: str) -> str:
        self.add(f"def {name}(body):")
        if self.table.may_lack_body:
            self.add("    if not body:", "        return cls(bodiless=True)")
        stages = stages_of(self.table)
        if _can_guess(stages):
            self.write_guess(*stages[0])
        elif stages:
            self.add("    pdu = new(cls)", "    at = 0")
            for number, (runs, counted) in enumerate(stages):
                self.write_stage(number, runs, counted, "    ")
        else:
            self.add("    pdu = new(cls)", "    at = 0")
        self.write_tlvs()
        self.write_udh()
        if self.table.may_lack_body:
            self.add("    pdu.bodiless = False")
        self.add("    return pdu")
        return "\n".join(self.lines) + "\n"

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def write_guess(self, runs: list[Run], counted: Field | None) -> None:
        """Look where the last body had its pieces; else match, and remember where they were."""
        head, string, tail = runs
        for index, run in ((0, head), (2, tail)):
            self.declare_piece(0, index, run, after_string=index > 0)
        self.names["guess"] = (0, 0, 0)
        self.add(
            "    global guess",
            "    pdu = new(cls)",
            "    head_end, string_end, at = guess",
            "    head = known_0_0(body[:head_end])",
            "    tail = known_0_2(body[string_end:at])",
            "    string = body[head_end:string_end]",
            "    if head is None or tail is None or 0 in string:",
        )
        self.write_match(0, runs, counted, "        ")
        self.add(
            "        string = run_0_1",
            "        head = known_0_0(run_0_0) or read_0_0(run_0_0)",
            "        tail = known_0_2(run_0_2) or read_0_2(run_0_2)",
            "        if head is None or tail is None:",
            "            raise fault(body)",
            "        guess = *found.span(2), found.end(3)",
            "        at = guess[2]",
            f"    {_targets(head)} = head",
            f'    pdu.{string[0].name} = string.decode("latin-1")',
            f"    {_targets(tail)} = tail",
        )
        if counted is not None:
            self.write_counted(counted, "    ")

    def write_stage(self, number: int, runs: list[Run], counted: Field | None, indent: str) -> None:
        self.write_match(number, runs, counted, indent)
        for index, run in enumerate(runs):
            captured = f"run_{number}_{index}"
            if stands_alone(run):
                self.add(f'{indent}pdu.{run[0].name} = {captured}.decode("latin-1")')
                continue
            after_string = index > 0
            self.declare_piece(number, index, run, after_string=after_string)
            key = f"{number}_{index}"
            self.add(
                f"{indent}values = known_{key}({captured}) or read_{key}({captured})",
                f"{indent}if values is None:",
                f"{indent}    raise fault(body)",
                f"{indent}{_targets(run)} = values",
            )
        if counted is None:
            self.add(f"{indent}at = found.end()")
        else:
            self.add(f"{indent}at = found.end() - 1")
            self.write_counted(counted, indent)

    def write_match(self, number: int, runs: list[Run], counted: Field | None, indent: str) -> None:
        pattern = _stage_pattern(runs, counted)
        self.names[f"match_{number}"] = re.compile(pattern, re.DOTALL).match
        start = ", at" if number else ""
        self.add(
            f"{indent}found = match_{number}(body{start})",
            f"{indent}if found is None:",
            f"{indent}    raise fault(body)",
        )
        if runs:
            captured = ", ".join(f"run_{number}_{index}" for index in range(len(runs)))
            self.add(f"{indent}{captured}, = found.groups()")

    def declare_piece(self, number: int, index: int, run: Run, *, after_string: bool) -> None:
        pieces = DecodedPieces(run, tolerant=self.table.tolerant, after_string=after_string)
        self.names[f"known_{number}_{index}"] = pieces.known.get
        self.names[f"read_{number}_{index}"] = pieces.read

    def write_counted(self, counted: Field, indent: str) -> None:
        """``at`` is where the count stands, or where the body ends too early."""
        if isinstance(counted.kind, Group):
            self.names[f"read_{counted.name}"] = element_reader(
                counted.kind, tolerant=self.table.tolerant
            )
            self.add(
                f"{indent}elements = read_{counted.name}(body, at + 1, body[at])",
                f"{indent}if elements is None:",
                f"{indent}    raise fault(body)",
                f"{indent}pdu.{counted.name}, at = elements",
            )
            return
        self.add(
            f"{indent}try:",
            f"{indent}    count = body[at]",
            f"{indent}except IndexError:",
            f"{indent}    raise fault(body) from None",
            f"{indent}start = at + 1",
            f"{indent}at = start + count",
        )
        if self.lazy:
            self.add(
                f"{indent}pdu.text_at = start",
                f"{indent}pdu.sm_length = count",
                f"{indent}pdu.tlvs_at = at",
            )
        else:
            self.add(f"{indent}pdu.{counted.name} = body[start:at]")

    def write_tlvs(self) -> None:
        """A text that is cut off has passed the end already."""
        self.add("    octets = len(body)")
        unread = "pass" if self.lazy else "pdu.tlvs = ()"
        self.add("    if at == octets:", f"        {unread}", "    else:")
        if any(isinstance(field.kind, CountedOctets) for field in self.table.fields):
            self.add("        if at > octets:", "            raise fault(body)")
        target = "tlvs" if self.lazy else "pdu.tlvs = tlvs"
        self.add(
            f"        {target} = known_area(body[at:at + {AREA_OCTETS + 1}]) or read_area(body, at)",
            "        if tlvs is None:",
            "            raise fault(body)",
        )

    def write_udh(self) -> None:
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
        self.add(
            f"    if pdu.esm_class & {UDHI}:",
            f"        user_data = {text}",
            "        if not user_data or user_data[0] >= len(user_data):",
            "            raise fault(body)",
        )


def _can_guess(stages: list[tuple[list[Run], Field | None]]) -> bool:
    """One stage of piece, string, piece, and a counted text: submit_sm and deliver_sm."""
    if len(stages) != 1:
        return False
    runs, counted = stages[0]
    alone = [stands_alone(run) for run in runs]
    return counted is not None and alone == [False, True, False]


def _targets(run: Run) -> str:
    return ", ".join(f"pdu.{field.name}" for field in run) + ","


def _stage_pattern(runs: list[Run], counted: Field | None) -> bytes:
    """A string is captured without its NUL; that begins the piece behind it."""
    pattern = b""
    owed = b""
    for run in runs:
        if stands_alone(run):
            pattern += owed + b"(" + field_pattern(run[0].kind)[:-2] + b")"
            owed = rb"\0"
        else:
            inner = b"".join(field_pattern(field.kind) for field in run)
            pattern += b"(" + owed + inner + b")"
            owed = b""
    return pattern + owed + (b"." if counted is not None else b"")


def _payload_in(body: bytes, tlvs_at: int) -> bytes | None:
    return find_tlv(body, tlvs_at, Tag.MESSAGE_PAYLOAD)


def _payload_of(pdu: Pdu) -> bytes | None:
    return tlv_value(pdu.tlvs, Tag.MESSAGE_PAYLOAD)


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
