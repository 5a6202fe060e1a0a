"""What a text costs, for people: `python -m pdu text "…"`.

*In*: text and options. *Out*: lines to print. *Never*: printing.
"""

import unicodedata
from collections.abc import Iterable

from pdu.text.coding import Choice, choose
from pdu.text.errors import TooManyParts
from pdu.text.segmenter import segment
from pdu.text.tables import LANGUAGES
from pdu.text.udh import Udh


def report(
    text: str,
    *,
    transliterate: bool = False,
    national: Iterable[int | str] = (),
    reference: int = 1,
    wide_reference: bool = False,
) -> str:
    """Coding, parts, room left, what forced UCS-2, and the short_message of each part.

    Options as in `coding.choose` and `segmenter.segment`; an unknown language raises `TextError`.
    """
    choice = choose(text, transliterate=transliterate, national=national)
    lines = [
        f"characters    {len(text)}",
        f"coding        {choice.coding}, data_coding {choice.data_coding}{_tables(choice.udh)}",
    ]
    if choice.text != text:
        lines.append(f"shown as      {choice.text}")
    lines += _forced_by(choice)
    try:
        parts = segment(
            choice.data,
            choice.data_coding,
            reference,
            wide_reference=wide_reference,
            udh=choice.udh,
        )
    except TooManyParts as error:
        return "\n".join([*lines, f"refused       {error}"])
    lines += _parts(choice, parts)
    return "\n".join(lines)


def _parts(choice: Choice, parts: list[bytes]) -> list[str]:
    septets = choice.coding == "gsm7"
    unit = "septets" if septets else "UTF-16 units"
    has_header = len(parts) > 1 or bool(choice.udh)
    sizes, contents = [], []
    for number, part in enumerate(parts, 1):
        header = part[: part[0] + 1] if has_header else b""
        text = part[len(header) :]
        sizes.append(len(text) if septets else len(text) // 2)
        shown = f"{header.hex()} {text.hex()}" if header else text.hex()
        contents.append(f"part {number:<9}{shown}")
    total = f"{' + '.join(map(str, sizes))} {unit}"
    left = _left(choice, len(parts), sizes[-1], parts[-1], has_header)
    return [
        f"parts         {len(parts)}: {total}",
        f"left in last  {left} {unit}",
        *contents,
    ]


def _left(choice: Choice, count: int, used: int, last: bytes, has_header: bool) -> int:
    """Room by the header that the part really has: a 16-bit reference leaves less than `choose` says."""
    header_octets = last[0] + 1 if has_header else 0
    if count == choice.parts and not has_header:
        return choice.left_in_last_part
    octets = 140 - header_octets
    return (octets * 8 // 7 if choice.coding == "gsm7" else octets // 2) - used


def _tables(udh: bytes) -> str:
    header = Udh.parse(udh) if udh else None
    if header is None:
        return ""
    names = {number: name for name, number in LANGUAGES.items()}
    alphabet = header.alphabet
    used = []
    if alphabet.locking:
        used.append(f"{names[alphabet.locking]} locking shift")
    if alphabet.single_shift:
        used.append(f"{names[alphabet.single_shift]} single shift")
    return f", {' and '.join(used)}"


def _forced_by(choice: Choice) -> list[str]:
    """One line a character outside the default alphabet."""
    return [
        f"{'outside GSM-7' if at == 0 else '':<14}"
        f"{char if char.isprintable() else '.'} U+{ord(char):04X} {unicodedata.name(char, 'unnamed')}"
        for at, char in enumerate(choice.forced_by)
    ]
