"""A carrier's habits, as `[outlets.NAME.quirks]` tells them, and what follows for a message.

*In*: the section; submit_sm bodies with their peek; statuses; dates of receipts.
*Out*: bodies with other addresses, the class of a status, a date in the usual order.
*Never*: I/O; a message changed for a carrier without quirks (`Quirks()` changes nothing).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

import attrs

from bridges.incoming import in_our_alphabet
from bridges.outgoing import PLAIN, Shape
from bridges.upstream_fields import fits_the_wire
from pdu.address import Ton, guess_source
from pdu.codec import SubmitPeek
from pdu.status import Status, status_class
from pdu.text.alphabet import Alphabet
from pdu.tlvs import Tag, pack_tlv
from smsc.config_errors import SettingError, found
from smsc.config_fields import about

ErrorClass = Literal["permanent", "retryable", "throttled"]
_ERROR_CLASSES: Final[Mapping[str, ErrorClass]] = {
    "permanent": "permanent",
    "retryable": "retryable",
    "throttled": "throttled",
}
_THROTTLED: Final = frozenset({int(Status.ESME_RTHROTTLED), int(Status.ESME_RMSGQFUL)})
_ALPHABETS: Final = {
    "gsm7": Alphabet.GSM7,
    "packed": Alphabet.GSM7_PACKED,
    "latin1": Alphabet.LATIN1,
    "ascii": Alphabet.ASCII,
}
_LONGEST_TLV_OCTETS: Final = 255
_OURS: Final = frozenset(
    {
        Tag.MESSAGE_PAYLOAD,
        Tag.SAR_MSG_REF_NUM,
        Tag.SAR_TOTAL_SEGMENTS,
        Tag.SAR_SEGMENT_SEQNUM,
    }
)
AS_IT_CAME: Final = -1


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise SettingError(f"expected a table, found {found(value)}")
    return value


def _code(name: str, highest: int) -> int:
    try:
        code = Status[name] if name in Status.__members__ else int(name, 0)
    except ValueError:
        code = 0
    if not 0 < code <= highest:
        raise SettingError(f'expected a number like "0x0415" or "1045", found {found(name)}')
    return int(code)


def parse_errors(value: object) -> Mapping[int, ErrorClass]:
    """Read what the carrier's statuses mean."""
    classes: dict[int, ErrorClass] = {}
    for name, one in _table(value).items():
        if not isinstance(one, str) or one not in _ERROR_CLASSES:
            names = ", ".join(map(repr, _ERROR_CLASSES))
            raise SettingError(f"{name}: expected one of {names}, found {found(one)}")
        code = _code(name, 0xFFFFFFFF)
        if code in classes:
            raise SettingError(f"{name}: expected each error once, found 0x{code:08X} twice")
        classes[code] = _ERROR_CLASSES[one]
    return classes


def parse_tlvs(value: object) -> tuple[tuple[int, bytes], ...]:
    """Read TLVs to add: tag to octets in hexadecimal."""
    tlvs: list[tuple[int, bytes]] = []
    for name, one in _table(value).items():
        try:
            octets = bytes.fromhex(one) if isinstance(one, str) else None
        except ValueError:
            octets = None
        if octets is None or len(octets) > _LONGEST_TLV_OCTETS:
            why = f"expected up to {_LONGEST_TLV_OCTETS} octets in hexadecimal"
            raise SettingError(f"{name}: {why}, found {found(one)}")
        tag = _code(name, 0xFFFF)
        if tag in _OURS:
            why = "expected a tag that the gateway does not write itself (see long_text)"
            raise SettingError(f"{name}: {why}, found 0x{tag:04X}")
        if any(tag == other for other, _ in tlvs):
            raise SettingError(f"{name}: expected each tag once, found 0x{tag:04X} twice")
        tlvs.append((tag, octets))
    return tuple(tlvs)


def _address_octet(meaning: str) -> int:
    """A TON or NPI to set; -1 leaves it as it came."""
    field: int = attrs.field(
        default=AS_IT_CAME, metadata=about(f"{meaning}; -1 = as it came", minimum=-1, maximum=255)
    )
    return field


@attrs.frozen(kw_only=True)
class Quirks:
    """`[outlets.NAME.quirks]`: what one carrier does otherwise than the specification."""

    ids: Literal["auto", "same", "case", "padded", "hex_then_decimal", "decimal_then_hex"] = (
        attrs.field(
            default="auto",
            metadata=about("how message ids in receipts differ from those in responses"),
        )
    )
    receipts: Literal["any", "text", "tlv"] = attrs.field(
        default="any", metadata=about("where receipts are to be believed; any = TLV, then text")
    )
    receipts_unmarked: bool = attrs.field(
        default=False, metadata=about("receipts come without the bits of esm_class")
    )
    receipt_dates: Literal["yymmdd", "ddmmyy", "ignore"] = attrs.field(
        default="yymmdd", metadata=about("order of the digits of a receipt's dates")
    )
    receipt_ahead_min: int = attrs.field(
        default=0,
        metadata=about(
            "minutes that the carrier's clock is ahead of UTC", minimum=-900, maximum=900
        ),
    )
    default_alphabet: Literal["gsm7", "packed", "latin1", "ascii"] = attrs.field(
        default="gsm7", metadata=about("what the carrier means by data_coding 0")
    )
    long_text: Literal["udh", "udh16", "sar", "payload"] = attrs.field(
        default="udh", metadata=about("how a text longer than one part leaves")
    )
    source_ton: int = _address_octet("source_addr_ton")
    source_npi: int = _address_octet("source_addr_npi")
    dest_ton: int = _address_octet("dest_addr_ton")
    dest_npi: int = _address_octet("dest_addr_npi")
    ton_npi: Literal["default", "always"] = attrs.field(
        default="default",
        metadata=about("default: where the client gave 0 and 0; always: for every message"),
    )
    sender_kinds: Literal["any", "numeric", "alphanumeric"] = attrs.field(
        default="any", metadata=about("kinds of senders that the carrier takes")
    )
    senders: tuple[str, ...] = attrs.field(
        default=("*",), metadata=about('senders that the carrier takes; "Shop*" = so beginning')
    )
    sender: str = attrs.field(
        default="",
        validator=fits_the_wire,
        metadata=about('stands in for a sender that it does not take; "" = refuse', maximum=20),
    )
    errors: Mapping[int, ErrorClass] = attrs.field(
        factory=dict,
        metadata=about(
            'what a command_status means here: "permanent", "retryable" or "throttled"',
            parse=parse_errors,
        ),
    )
    tlvs: tuple[tuple[int, bytes], ...] = attrs.field(
        default=(),
        metadata=about("TLVs to add: tag to octets in hexadecimal", parse=parse_tlvs),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together, and senders that none can be like."""
        if not self.senders:
            raise _wrong("senders", 'expected senders, found none; ["*"] takes all')
        for one in self.senders:
            if "*" in one[:-1]:
                raise _wrong("senders", f'expected "*" at the end only, found {found(one)}')
        if self.sender and self.sender_kinds != "any":
            ton, _, sender = _guessed(self.sender)
            if _is_number(ton, sender) != (self.sender_kinds == "numeric"):
                why = f'expected a sender of sender_kinds = "{self.sender_kinds}"'
                raise _wrong("sender", f"{why}, found {found(self.sender)}")

    @property
    def changes_addresses(self) -> bool:
        """Is there anything for `rewrite` to do?"""
        octets = (self.source_ton, self.source_npi, self.dest_ton, self.dest_npi)
        limits = self.sender_kinds != "any" or "*" not in self.senders
        return limits or any(octet != AS_IT_CAME for octet in octets)

    def shape(self, *, knows_tlvs: bool) -> Shape:
        """How texts are laid out; `PLAIN` itself where nothing is out of the ordinary."""
        shape = Shape(
            default=_ALPHABETS[self.default_alphabet],
            long_text=self.long_text if knows_tlvs or self.long_text == "udh16" else "udh",
            knows_tlvs=knows_tlvs,
            more_tlvs=b"".join(pack_tlv(*tlv) for tlv in self.tlvs) if knows_tlvs else b"",
        )
        return PLAIN if shape == PLAIN else shape

    def mobile_originated(self, body: bytes) -> bytes:
        """A handset's deliver_sm with data_coding 0 as the house means it."""
        alphabet = _ALPHABETS[self.default_alphabet]
        return body if alphabet is Alphabet.GSM7 else in_our_alphabet(body, alphabet)

    def error_class(self, status: int) -> ErrorClass:
        """What a refusal of the carrier means for the message."""
        if status in self.errors:
            return self.errors[status]
        if status in _THROTTLED:
            return "throttled"
        return "permanent" if status_class(status) == "permanent" else "retryable"

    def usual_date(self, digits: str | None) -> str | None:
        """The date of a receipt in the order that `pdu.receipt_text` reads."""
        if digits is None or self.receipt_dates == "yymmdd":
            return digits
        if self.receipt_dates == "ignore":
            return None
        year = slice(4, 8) if len(digits) == 14 else slice(4, 6)
        if len(digits) == 12 and digits[4:6] == "20" and digits[6:8] > "23":
            year = slice(6, 8)  # ddmmyyyyhhmm, as there is no hour 24 in ddmmyyhhmmss
        return digits[year] + digits[2:4] + digits[:2] + digits[year.stop :]

    def rewrite(self, body: bytes, peek: SubmitPeek) -> bytes | None:
        """The body with the addresses that the carrier wants; None: it takes no such sender."""
        source = (peek.source_addr_ton, peek.source_addr_npi, peek.source_addr)
        if not self._takes(source[0], source[2]):
            if not self.sender:
                return None
            source = _guessed(self.sender)
        dest = (peek.dest_addr_ton, peek.dest_addr_npi, peek.destination_addr)
        # An alphanumeric sender says so in its TON; no default knows better.
        if source[0] != Ton.ALPHANUMERIC:
            source = self._numbered(source, self.source_ton, self.source_npi)
        dest = self._numbered(dest, self.dest_ton, self.dest_npi)
        at = len(peek.service_type) + 1
        end = at + 6 + len(peek.source_addr) + len(peek.destination_addr)
        return b"".join((body[:at], _packed(source), _packed(dest), body[end:]))

    def _numbered(self, address: tuple[int, int, str], ton: int, npi: int) -> tuple[int, int, str]:
        if self.ton_npi == "default" and (address[0] or address[1]):
            return address
        return (
            address[0] if ton == AS_IT_CAME else ton,
            address[1] if npi == AS_IT_CAME else npi,
            address[2],
        )

    def _takes(self, ton: int, sender: str) -> bool:
        is_number = _is_number(ton, sender)
        if self.sender_kinds != "any" and is_number != (self.sender_kinds == "numeric"):
            return False
        return any(
            sender.startswith(one[:-1]) if one.endswith("*") else sender == one
            for one in self.senders
        )


def _wrong(name: str, why: str) -> ValueError:
    """For `smsc.config_errors`: the sentence, and the key that it is about."""
    return ValueError(why, getattr(attrs.fields(Quirks), name))


def _is_number(ton: int, sender: str) -> bool:
    return ton != Ton.ALPHANUMERIC and sender.removeprefix("+").isdecimal()


@lru_cache(maxsize=256)
def _guessed(sender: str) -> tuple[int, int, str]:
    address = guess_source(sender)
    return int(address.ton), int(address.npi), address.addr


def _packed(address: tuple[int, int, str]) -> bytes:
    return b"%c%c%b\0" % (address[0], address[1], address[2].encode("latin-1"))
