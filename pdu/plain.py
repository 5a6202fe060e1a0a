"""PDU objects as plain data, as JSON and people want them.

*In*: PDU objects.
*Out*: dictionaries and lists; octets as hex, counted fields with their counts.
*Never*: a way back: the codec is the only way from octets to objects.
"""

from typing import Any

from pdu.fields import ELEMENTS, TABLES, CountedOctets, Field, Group, Pdu
from pdu.tlv_table import ROW_BY_TAG
from pdu.tlvs import Tlvs


def body_as_dict(pdu: Pdu) -> dict[str, Any] | None:
    """The mandatory fields in wire order, counts included; None when there was no body."""
    if getattr(pdu, "bodiless", False):
        return None
    return _fields_as_dict(TABLES[pdu.command_id].fields, pdu)


def tlvs_as_list(tlvs: Tlvs) -> list[dict[str, Any]]:
    """Each TLV as tag, name (None when unknown), length and value in hex."""
    return [
        {
            "tag": tag,
            "name": ROW_BY_TAG[tag].tag.name.lower() if tag in ROW_BY_TAG else None,
            "length": len(value),
            "value": value.hex(),
        }
        for tag, value in tlvs
    ]


def _fields_as_dict(fields: tuple[Field, ...], holder: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in fields:
        value = getattr(holder, field.name)
        match field.kind:
            case CountedOctets(count_name):
                plain[count_name] = len(value)
                plain[field.name] = value.hex()
            case Group():
                plain[field.kind.count_name] = len(value)
                plain[field.name] = [_element_as_dict(field.kind, part) for part in value]
            case _:
                plain[field.name] = value
    return plain


def _element_as_dict(group: Group, part: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for flag, cls in group.variants.items():
        if cls is type(part) and flag is not None:
            plain["dest_flag"] = flag
    return plain | _fields_as_dict(ELEMENTS[type(part)], part)
