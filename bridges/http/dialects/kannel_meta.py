"""Kannel's meta-data: `?smpp?name=value&name=value?other?name=value`, and the TLVs in it.

*In*: octets of the field. *Out*: parameters by group; TLVs of the group smpp.
*Never*: I/O; a TLV that says what a message is: its text, its parts, its receipt.

Kannel userguide, "Meta data"; gw/meta_data.c. Names of the specification are known, others by
the setting `tlvs`; a name that nobody knows is passed over, as there.
"""

import urllib.parse
from collections.abc import Mapping

from pdu.tlvs import TLV_TABLE, Tag, make_tlv

MAX_OCTETS = 4096
_BARRED = frozenset({Tag.MESSAGE_PAYLOAD})
_BY_NAME = {
    row.tag.name.lower(): row
    for row in TLV_TABLE
    if "submit_sm" in row.allowed_pdus.replace(";", ",").replace(" ", ",").split(",")
    and row.tag not in _BARRED
}

Groups = Mapping[str, Mapping[str, bytes]]
Tlvs = tuple[tuple[int, bytes], ...]


def parse_meta_data(octets: bytes) -> Groups | None:
    """Parameters by group; None when the field has another form."""
    if not octets:
        return {}
    pieces = octets.split(b"?")
    if pieces[-1] == b"":
        pieces.pop()
    if len(octets) > MAX_OCTETS or pieces[0] or len(pieces) % 2 == 0:
        return None
    groups: dict[str, dict[str, bytes]] = {}
    for name, parameters in zip(pieces[1::2], pieces[2::2], strict=True):
        group = groups.setdefault(_text(name), {})
        for pair in filter(None, parameters.split(b"&")):
            key, equals, value = pair.partition(b"=")
            if not key or not equals:
                return None
            group[_text(key)] = urllib.parse.unquote_to_bytes(value.replace(b"+", b" "))
    return groups


def tlvs_of(groups: Groups, tags: Mapping[str, int]) -> Tlvs | None:
    """The TLVs of the group smpp; None when a value does not fit its name.

    `tags` are names besides those of the specification; their values are octets.
    """
    tlvs: list[tuple[int, bytes]] = []
    for name, value in groups.get("smpp", {}).items():
        row = _BY_NAME.get(name.lower())
        try:
            if name in tags:
                tlvs.append((tags[name], value))
            elif row is not None:
                tlv = make_tlv(row.tag, _typed(row.kind, value))
                if not row.len_min <= len(tlv[1]) <= row.len_max:
                    return None
                tlvs.append(tlv)
        except ValueError:  # no number, not ASCII, or too large for the TLV
            return None
    return tuple(tlvs)


def _typed(kind: str, value: bytes) -> int | str | bytes:
    if kind == "octets":
        return value
    text = value.decode("ascii")
    if kind == "cstring":
        return text
    return int(text) if text.isdigit() else int(text, 16)


def _text(octets: bytes) -> str:
    return urllib.parse.unquote_to_bytes(octets).decode("latin-1")
