"""Writes the fast encoders: Python source for each table, compiled once at import.

*In*: a table of :mod:`pdu.fields`.
*Out*: the encoder of its whole PDU.
*Never*: words an error: what does not fit goes to the slow twin, which raises.

The fields that hardly vary are looked up by their values, all with one key, as are whole TLV
areas; only what fits its place enters a cache.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from pdu import reference
from pdu.commands import command_name
from pdu.fields import COctetString, Field, Group, Table
from pdu.pieces import EncodedPieces, TlvAreas
from pdu.stages import Run, compile_function, stages_of

# (object, sequence_number, command_status) → octets
Encoder = Callable[[Any, int, int], bytes]

_HEADER_OCTETS: Final = 16


def compile_encoder(table: Table) -> Encoder:
    """The encoder of one PDU."""
    name = f"encode_{command_name(table.command_id)}"
    writer = _Writer(table)
    return compile_function(name, writer.write(name), writer.names)


class _Writer:
    """Collects the lines of one encoder, its parts in wire order, and the names it uses."""

    def __init__(self, table: Table) -> None:
        self.table = table
        areas = TlvAreas(check_lengths=False)
        pack_header = Struct(">IIII").pack
        self.names: dict[str, Any] = {
            "pack_header": pack_header,
            "slow": _slow_encoder(pack_header, table.command_id),
            "known_area": areas.packed.get,
            "pack_area": areas.pack,
            "one": [bytes((value,)) for value in range(256)],
        }
        self.lines: list[str] = []
        self.parts: list[str] = []
        self.lengths: list[str] = []
        self.fixed_octets = _HEADER_OCTETS
        self.pieces: list[tuple[str, Run, bool]] = []
        self.strings: list[tuple[str, int]] = []
        self.owed_nul = False

    def write(self, name: str) -> str:
        for number, (runs, counted) in enumerate(stages_of(self.table)):
            for index, run in enumerate(runs):
                self.collect_run(run, f"run_{number}_{index}")
            if counted is not None:
                self.collect_counted(counted)
        if self.pay_nul():
            self.collect_nul()
        self.add(f"def {name}(pdu, sequence_number, command_status):")
        if self.table.may_lack_body:
            self.add("    if pdu.bodiless:", f"        return {self.header('16')}")
        self.write_pieces()
        self.write_counted()
        self.write_strings()
        octets = " + ".join([str(self.fixed_octets), *self.lengths])
        self.add(
            "    area = pdu.tlvs",
            "    if not area:",
            f"        return {self.joined(octets, self.parts)}",
            "    area = known_area(area) or pack_area(area)",
            "    if area is None:",
            f"        {_SLOW}",
            f"    return {self.joined(f'{octets} + len(area)', [*self.parts, 'area'])}",
        )
        return "\n".join(self.lines) + "\n"

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def header(self, octets: str) -> str:
        return f"pack_header({octets}, {self.table.command_id}, command_status, sequence_number)"

    def joined(self, octets: str, parts: list[str]) -> str:
        return (
            f'b"".join(({self.header(octets)}, {", ".join(parts)}))'
            if parts
            else self.header(octets)
        )

    def collect_run(self, run: Run, name: str) -> None:
        """A piece is looked up by its values; a string that varies is checked and encoded."""
        kind = run[0].kind
        if len(run) > 1 or not isinstance(kind, COctetString):
            self.pieces.append((name, run, self.pay_nul()))
            self.parts.append(name)
            return
        if self.pay_nul():
            self.collect_nul()
        self.strings.append((run[0].name, kind.limit - 1))
        self.parts.append(run[0].name)
        self.lengths.append(f"len({run[0].name})")
        self.owed_nul = True

    def collect_counted(self, counted: Field) -> None:
        if self.pay_nul():
            self.collect_nul()
        if isinstance(counted.kind, Group):
            self.parts.append(counted.name)
            self.lengths.append(f"len({counted.name})")
            return
        self.parts.extend(("one[count]", counted.name))
        self.fixed_octets += 1
        self.lengths.append("count")

    def collect_nul(self) -> None:
        self.parts.append('b"\\0"')
        self.fixed_octets += 1

    def pay_nul(self) -> bool:
        """Whether what comes next begins with the NUL of a string that varies."""
        owed = self.owed_nul
        self.owed_nul = False
        return owed

    def write_pieces(self) -> None:
        """One key for all pieces; their octets in all come with them."""
        if not self.pieces:
            return
        pieces = EncodedPieces([(run, after_string) for _, run, after_string in self.pieces])
        self.names |= {"known_pieces": pieces.known.get, "make_pieces": pieces.make}
        fields = [field.name for _, run, _ in self.pieces for field in run]
        targets = ", ".join(name for name, _, _ in self.pieces)
        self.add(
            f"    key = ({', '.join(f'pdu.{name}' for name in fields)},)",
            "    pieces = known_pieces(key) or make_pieces(key)",
            "    if pieces is None:",
            f"        {_SLOW}",
            f"    {targets}, pieces_octets = pieces",
        )
        self.lengths.append("pieces_octets")

    def write_counted(self) -> None:
        for _, counted in stages_of(self.table):
            if counted is None:
                continue
            name = counted.name
            if isinstance(counted.kind, Group):
                self.names[f"encode_{name}"] = reference.encode_field(counted)
                self.add(f"    {name} = encode_{name}(pdu)")
                continue
            self.add(
                f"    {name} = pdu.{name}",
                f"    count = len({name})",
                "    if count > 255:",
                f"        {_SLOW}",
            )

    def write_strings(self) -> None:
        if not self.strings:
            return
        self.add("    try:")
        for name, limit in self.strings:
            self.add(
                f"        text = pdu.{name}",
                f'        if len(text) > {limit} or "\\0" in text:',
                f"            {_SLOW}",
                f'        {name} = text.encode("latin-1")',
            )
        self.add("    except UnicodeEncodeError:", f"        {_SLOW}")


_SLOW: Final = "return slow(pdu, sequence_number, command_status)"


def _slow_encoder(pack_header: Callable[..., bytes], command_id: int) -> Encoder:
    def encode(pdu: Any, sequence_number: int, command_status: int) -> bytes:
        body = reference.encode_body(pdu)
        octets = _HEADER_OCTETS + len(body)
        return pack_header(octets, command_id, command_status, sequence_number) + body

    return encode
