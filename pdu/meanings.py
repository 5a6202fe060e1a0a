"""What the values of fields and TLVs mean, in words for people.

*In*: a field's name and its value.
*Out*: one short phrase, "" where the value speaks for itself.
*Never*: a judgement: see :mod:`pdu.semantics`.

SMPP 3.4 §5.2, 5.0 §4.7.
"""

from collections.abc import Callable
from typing import Any, Final

from pdu.operations import normalise_version
from pdu.status import status_name
from pdu.text.alphabet import alphabet_of, message_class
from pdu.text.coding import decode_text
from pdu.timefmt import Absolute, Relative, TimeError, parse_parts
from pdu.tlv_table import ROW_BY_TAG
from pdu.tlvs import Tag

_TONS: Final = (
    "unknown",
    "international",
    "national",
    "network specific",
    "subscriber",
    "alphanumeric",
    "abbreviated",
)
_NPIS: Final = {
    0: "unknown",
    1: "E.164",
    3: "X.121",
    4: "Telex",
    6: "E.212",
    8: "national",
    9: "private",
    10: "ERMES",
    14: "internet",
    18: "WAP client id",
}
_MODES: Final = ("default mode", "datagram", "forward", "store and forward")
_TYPES: Final = {
    0x00: "",
    0x04: "delivery receipt",
    0x08: "SME delivery acknowledgement",
    0x10: "SME manual acknowledgement",
    0x18: "conversation abort",
    0x20: "intermediate notification",
}
_RECEIPTS: Final = ("no receipt", "receipt always", "receipt on failure", "receipt on success")
_STATES: Final = (
    "SCHEDULED",
    "ENROUTE",
    "DELIVERED",
    "EXPIRED",
    "DELETED",
    "UNDELIVERABLE",
    "ACCEPTED",
    "UNKNOWN",
    "REJECTED",
    "SKIPPED",
)
_VERSIONS: Final = {0x33: "SMPP 3.3", 0x34: "SMPP 3.4", 0x50: "SMPP 5.0"}


def field_meaning(name: str, value: Any) -> str:
    """The meaning of a mandatory field; ``name`` may be that of an element, as ``a[0].b``."""
    base = name.rsplit(".", 1)[-1]
    for ending, mean in _BY_ENDING.items():
        if base.endswith(ending):
            return mean(value)
    return ""


def tlv_meaning(tag: int, value: bytes) -> str:
    """The value of a known TLV read by its kind, and the values the table lists."""
    row = ROW_BY_TAG.get(tag)
    if row is None:
        return _unknown_tag(tag)
    if row.kind == "cstring":
        text = value.split(b"\0", 1)[0].decode("latin-1")
        return repr(text) if value.endswith(b"\0") else f"{text!r}, without its NUL"
    if row.kind == "octets" or not value:
        return row.values
    number = int.from_bytes(value, "big")
    if tag == Tag.MESSAGE_STATE:
        return _state(number)
    if tag == Tag.BROADCAST_ERROR_STATUS:
        return status_name(number)
    return f"{number} ({row.values})" if row.values else str(number)


def text_meaning(data: bytes, data_coding: int, *, has_udh: bool) -> str:
    """The text itself, read by its data_coding, behind its user data header."""
    header = b""
    if has_udh and data and data[0] < len(data):
        header, data = data[: 1 + data[0]], data[1 + data[0] :]
    shown = repr(decode_text(data, data_coding, udh=header))
    return f"header {header.hex()}, then {shown}" if header else shown


def _unknown_tag(tag: int) -> str:
    return "vendor TLV" if 0x1400 <= tag <= 0x3FFF else "reserved tag"


def _ton(value: int) -> str:
    return _TONS[value] if value < len(_TONS) else "reserved"


def _npi(value: int) -> str:
    return _NPIS.get(value, "reserved")


def _esm_class(value: int) -> str:
    words = [_MODES[value & 0x03], _TYPES.get(value & 0x3C, "reserved type")]
    words.append("UDH" if value & 0x40 else "")
    words.append("reply path" if value & 0x80 else "")
    return ", ".join(word for word in words if word)


def _registered_delivery(value: int) -> str:
    words = [_RECEIPTS[value & 0x03]]
    words.append("SME delivery acknowledgement" if value & 0x04 else "")
    words.append("SME manual acknowledgement" if value & 0x08 else "")
    words.append("intermediate notification" if value & 0x10 else "")
    words.append("reserved bits" if value & 0xE0 else "")
    return ", ".join(word for word in words if word)


def _data_coding(value: int) -> str:
    asked = message_class(value)
    name = alphabet_of(value).name
    if value == 0:
        return f"default alphabet, read as {name}"
    return name if asked is None else f"{name}, class {asked.value}"


def _state(value: int) -> str:
    return _STATES[value] if value < len(_STATES) else "reserved"


def _version(value: int) -> str:
    return _VERSIONS[normalise_version(value)]


def _time(value: str) -> str:
    try:
        match parse_parts(value):
            case None:
                return "none"
            case Absolute():
                return "absolute"
            case Relative():
                return "relative"
    except TimeError as error:
        return str(error.fault)


_BY_ENDING: Final[dict[str, Callable[[Any], str]]] = {
    "_ton": _ton,
    "_npi": _npi,
    "esm_class": _esm_class,
    "registered_delivery": _registered_delivery,
    "data_coding": _data_coding,
    "message_state": _state,
    "interface_version": _version,
    "delivery_time": _time,
    "validity_period": _time,
    "final_date": _time,
    "error_status_code": status_name,
}
