"""Writes the fast encoders: Python source for each table, compiled once at import.

*In*: a table of :mod:`pdu.fields`.
*Out*: the encoder of its body.
*Never*: words an error: what does not fit goes to the slow twin, which raises.

Runs of fields that hardly vary are looked up by their values, as are whole TLV areas; only
what fits its place enters a cache.
"""

from collections.abc import Callable
from typing import Any

from pdu import reference
from pdu.commands import command_name
from pdu.fields import COctetString, Field, Group, Table
from pdu.pieces import EncodedPieces, TlvAreas
from pdu.stages import Run, compile_function, stages_of


def compile_encoder(table: Table) -> Callable[[Any], bytes]:
    """The encoder of one PDU's body."""
    name = f"encode_{command_name(table.command_id)}"
    writer = _Writer(table)
    return compile_function(name, writer.write(name), writer.names)


class _Writer:
    """Collects the lines of one encoder, its parts in wire order, and the names it uses."""

    def __init__(self, table: Table) -> None:
        self.table = table
        areas = TlvAreas(check_lengths=False)
        self.names: dict[str, Any] = {
            "slow": reference.encode_body,
            "known_area": areas.packed.get,
            "pack_area": areas.pack,
            "one": [bytes((value,)) for value in range(256)],
        }
        self.lines: list[str] = []
        self.parts: list[str] = []
        self.strings: list[tuple[str, int]] = []
        self.owed_nul = False

    def write(self, name: str) -> str:
        self.add(f"def {name}(pdu):")
        if self.table.may_lack_body:
            self.add("    if pdu.bodiless:", '        return b""')
        for number, (runs, counted) in enumerate(stages_of(self.table)):
            for index, run in enumerate(runs):
                self.write_run(run, f"{number}_{index}")
            if counted is not None:
                self.write_counted(counted)
        if self.pay_nul():
            self.parts.append('b"\\0"')
        self.write_strings()
        self.add(
            "    area = pdu.tlvs",
            "    if not area:",
            f"        return {_joined(self.parts)}",
            "    area = known_area(area) or pack_area(area)",
            "    if area is None:",
            "        return slow(pdu)",
            f"    return {_joined([*self.parts, 'area'])}",
        )
        return "\n".join(self.lines) + "\n"

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def write_run(self, run: Run, key: str) -> None:
        """A piece is looked up by its values; a string that varies is checked and encoded."""
        kind = run[0].kind
        if len(run) == 1 and isinstance(kind, COctetString):
            self.strings.append((run[0].name, kind.limit - 1))
            if self.pay_nul():
                self.parts.append('b"\\0"')
            self.parts.append(run[0].name)
            self.owed_nul = True
            return
        pieces = EncodedPieces(run, after_string=self.pay_nul())
        self.names[f"known_{key}"] = pieces.known.get
        self.names[f"make_{key}"] = pieces.make
        self.add(
            f"    key = ({', '.join(f'pdu.{field.name}' for field in run)},)",
            f"    run_{key} = known_{key}(key) or make_{key}(key)",
            f"    if run_{key} is None:",
            "        return slow(pdu)",
        )
        self.parts.append(f"run_{key}")

    def pay_nul(self) -> bool:
        """Whether what comes next begins with the NUL of a string that varies."""
        owed = self.owed_nul
        self.owed_nul = False
        return owed

    def write_counted(self, counted: Field) -> None:
        if self.pay_nul():
            self.parts.append('b"\\0"')
        name = counted.name
        if isinstance(counted.kind, Group):
            self.names[f"encode_{name}"] = reference.encode_field(counted)
            self.add(f"    {name} = encode_{name}(pdu)")
            self.parts.append(name)
            return
        self.add(
            f"    {name} = pdu.{name}",
            f"    count = len({name})",
            "    if count > 255:",
            "        return slow(pdu)",
        )
        self.parts.extend(("one[count]", name))

    def write_strings(self) -> None:
        if not self.strings:
            return
        self.add("    try:")
        for name, limit in self.strings:
            self.add(
                f"        text = pdu.{name}",
                f'        if len(text) > {limit} or "\\0" in text:',
                "            return slow(pdu)",
                f'        {name} = text.encode("latin-1")',
            )
        self.add("    except UnicodeEncodeError:", "        return slow(pdu)")


def _joined(parts: list[str]) -> str:
    if not parts:
        return 'b""'
    return f'b"".join(({", ".join(parts)},))'
