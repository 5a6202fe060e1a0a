"""The user data header: information elements in front of the text.

*In*: octets of a short message whose esm_class has UDHI (0x40). *Out*: elements, the text behind
them, and the facts other rooms ask for: concatenation, ports, national tables.
*Never*: trust in a length: a header that does not add up is `None`, never half a header.

TS 23.040 §9.2.3.24. Layout: UDHL (octets after it), then IEI u1, IEDL u1, data, repeated.
"""

from enum import IntEnum
from typing import Final, NamedTuple, Self

from pdu.text.septets import SeptetAlphabet, septet_alphabet

MAX_PARTS: Final = 255


class Iei(IntEnum):
    """Information element identifiers that we read or write; others pass through."""

    CONCAT_8 = 0x00
    SPECIAL_MESSAGE = 0x01
    PORTS_8 = 0x04
    PORTS_16 = 0x05
    SMSC_CONTROL = 0x06
    SOURCE_INDICATOR = 0x07
    CONCAT_16 = 0x08
    WCMP = 0x09
    SINGLE_SHIFT = 0x24
    LOCKING_SHIFT = 0x25


class Element(NamedTuple):
    """One information element; `iei` is kept as read, known or not."""

    iei: int
    data: bytes


class Concat(NamedTuple):
    """Which part of which message: TS 23.040 §9.2.3.24.1 (8-bit) and §9.2.3.24.8 (16-bit)."""

    reference: int
    total: int
    """Parts in all, 1-255."""
    seqnum: int
    """This part, 1-total."""
    wide: bool
    """Whether the reference has 16 bits."""

    def element(self) -> Element:
        """The element for a header; the reference wraps at its width."""
        if self.wide:
            wrapped = (self.reference & 0xFFFF).to_bytes(2, "big")
            return Element(Iei.CONCAT_16, wrapped + bytes([self.total, self.seqnum]))
        return Element(Iei.CONCAT_8, bytes([self.reference & 0xFF, self.total, self.seqnum]))


class Ports(NamedTuple):
    """Application port addressing; `wide` for 16-bit ports."""

    destination: int
    source: int
    wide: bool


class Udh(NamedTuple):
    """A whole header, elements in the order of the wire."""

    elements: tuple[Element, ...] = ()

    @classmethod
    def parse(cls, header: bytes) -> Self | None:
        """Read a header with its UDHL; None when lengths do not add up."""
        if not header or header[0] + 1 != len(header):
            return None
        elements = []
        at = 1
        while at < len(header):
            if at + 2 > len(header) or at + 2 + header[at + 1] > len(header):
                return None
            end = at + 2 + header[at + 1]
            elements.append(Element(header[at], header[at + 2 : end]))
            at = end
        return cls(tuple(elements))

    def __bytes__(self) -> bytes:
        """Return the header with its UDHL; nothing at all without elements."""
        if not self.elements:
            return b""
        body = b"".join(bytes([e.iei, len(e.data)]) + e.data for e in self.elements)
        return bytes([len(body)]) + body

    @property
    def concat(self) -> Concat | None:
        """The last valid concatenation element; total 0, part 0 or part > total is ignored."""
        for iei, data in reversed(self.elements):
            if iei == Iei.CONCAT_8 and len(data) == 3:
                found = Concat(data[0], data[1], data[2], wide=False)
            elif iei == Iei.CONCAT_16 and len(data) == 4:
                found = Concat(int.from_bytes(data[:2], "big"), data[2], data[3], wide=True)
            else:
                continue
            if 0 < found.seqnum <= found.total:
                return found
        return None

    @property
    def ports(self) -> Ports | None:
        """Destination and source port of the last port element."""
        for iei, data in reversed(self.elements):
            if iei == Iei.PORTS_8 and len(data) == 2:
                return Ports(data[0], data[1], wide=False)
            if iei == Iei.PORTS_16 and len(data) == 4:
                destination, source = data[:2], data[2:]
                return Ports(
                    int.from_bytes(destination, "big"), int.from_bytes(source, "big"), wide=True
                )
        return None

    @property
    def alphabet(self) -> SeptetAlphabet:
        """The 7-bit alphabet that IEI 0x25 and 0x24 name; unknown identifiers mean the default."""
        return septet_alphabet(
            self._identifier(Iei.LOCKING_SHIFT), self._identifier(Iei.SINGLE_SHIFT)
        )

    def without_concat(self) -> tuple[Element, ...]:
        """Every other element, in order."""
        return tuple(e for e in self.elements if e.iei not in {Iei.CONCAT_8, Iei.CONCAT_16})

    def _identifier(self, iei: int) -> int:
        for element in reversed(self.elements):
            if element.iei == iei and len(element.data) == 1:
                return element.data[0]
        return 0


def split_header(short_message: bytes) -> tuple[bytes, bytes] | None:
    """Part a short message with UDHI into (header with UDHL, text); None when UDHL overruns."""
    if not short_message or short_message[0] + 1 > len(short_message):
        return None
    end = short_message[0] + 1
    return short_message[:end], short_message[end:]


def take_concat(short_message: bytes) -> tuple[Concat | None, bytes, bytes] | None:
    """Part a short message with UDHI into (concatenation, rest of its header, text).

    None when the header does not add up. The usual header, an 8-bit reference alone, is read by
    its fixed layout: parts of long messages are most of what comes with a header.
    """
    if short_message[:3] == b"\x05\x00\x03" and len(short_message) > 5:
        _, _, _, reference, total, seqnum = short_message[:6]
        valid = 0 < seqnum <= total
        return (
            Concat(reference, total, seqnum, wide=False) if valid else None,
            b"",
            short_message[6:],
        )
    split = split_header(short_message)
    parsed = Udh.parse(split[0]) if split else None
    if split is None or parsed is None:
        return None
    return parsed.concat, bytes(Udh(parsed.without_concat())), split[1]


def national(locking: int = 0, single_shift: int = 0) -> Udh:
    """The header that names national tables; no element for the default table 0."""
    elements = []
    if single_shift:
        elements.append(Element(Iei.SINGLE_SHIFT, bytes([single_shift])))
    if locking:
        elements.append(Element(Iei.LOCKING_SHIFT, bytes([locking])))
    return Udh(tuple(elements))
