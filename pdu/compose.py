"""A message from its addresses and its encoded text, as any ESME composes it.

*In*: sender, recipient, octets of a text. *Out*: a `SubmitSm` or `DeliverSm`.
*Never*: chooses a coding, or parts a text.

SMPP 3.4 §4.4.1, §4.6.1; a text that is too long for short_message goes in message_payload
(§5.3.2.32).
"""

from typing import Any, Final, TypeVar

from pdu.address import Address
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.tlvs import Tag, Tlvs

SHORT_MESSAGE_OCTETS: Final = 254
"""The longest short_message, §5.2.22."""

Composed = TypeVar("Composed", SubmitSm, DeliverSm)


def compose(
    kind: type[Composed],
    source: Address,
    destination: Address,
    text: bytes,
    *,
    tlvs: Tlvs = (),
    **fields: Any,
) -> Composed:
    """The PDU.

    :param tlvs: besides message_payload.
    :param fields: the others, by their names in the specification.
    """
    in_payload = len(text) > SHORT_MESSAGE_OCTETS
    return kind(
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.addr,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.addr,
        short_message=b"" if in_payload else text,
        tlvs=((int(Tag.MESSAGE_PAYLOAD), text), *tlvs) if in_payload else tlvs,
        **fields,
    )
