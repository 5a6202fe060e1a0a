"""What a text costs, for people: `python -m pdu text "…"`.

*In*: text and options. *Out*: lines to print. *Never*: printing.
"""

import unicodedata
from collections.abc import Iterable

from pdu.text.alphabet import alphabet_of
from pdu.text.coding import Choice, choose
from pdu.text.errors import TooManyParts
from pdu.text.segmenter import room, segment
from pdu.text.tables import LANGUAGES
from pdu.text.udh import Udh


def report(
    text: str,
    *,
    transliterate: bool = False,
    lossy: bool = False,
    national: Iterable[int | str] = (),
    reference: int = 1,
    wide_reference: bool = False,
) -> str:
    """Coding, parts, room left, what forced UCS-2, and the short_message of each part.

    Options as in `coding.choose` and `segmenter.segment`; an unknown language raises `TextError`.
    """
    choice = choose(text, transliterate=transliterate, lossy=lossy, national=national)
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
    septets = choice.data_coding == 0
    octets_each = 1 if septets else 2
    unit = "septets" if septets else "UTF-16 units"
    has_header = len(parts) > 1 or bool(choice.udh)
    sizes, contents = [], []
    header_octets = 0
    for number, part in enumerate(parts, 1):
        header_octets = part[0] + 1 if has_header else 0
        header, text = part[:header_octets], part[header_octets:]
        sizes.append(len(text) // octets_each)
        shown = f"{header.hex()} {text.hex()}" if header else text.hex()
        contents.append(f"part {number:<9}{shown}")
    # Not `choice.left_in_last_part`: that counts on an 8-bit reference.
    left = room(alphabet_of(choice.data_coding), header_octets) // octets_each - sizes[-1]
    return [
        f"parts         {len(parts)}: {' + '.join(map(str, sizes))} {unit}",
        f"left in last  {left} {unit}",
        *contents,
    ]


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
