"""The deliver_sm bodies that carry a text from a handset.

*In*: two addresses and a text, as people write them. *Out*: one body for each part.
*Never*: a guess at the network; `reference` says which parts belong together.
"""

from pdu.address import guess_destination, guess_source
from pdu.codec import encode_body
from pdu.message_pdus import DeliverSm
from pdu.text.coding import choose
from pdu.text.segmenter import segment

_UDHI = 0x40


def deliver_bodies(source: str, destination: str, text: str, reference: int) -> list[bytes]:
    """One body, or one for each part of a long text; raises `TooManyParts` above 255.

    :param reference: 0 to 255, of the concatenation (3GPP TS 23.040 §9.2.3.24.1).
    """
    from_, to = guess_source(source), guess_destination(destination)
    choice = choose(text)
    pieces = segment(choice.data, choice.data_coding, reference)
    return [
        encode_body(
            DeliverSm(
                source_addr_ton=from_.ton,
                source_addr_npi=from_.npi,
                source_addr=from_.addr,
                dest_addr_ton=to.ton,
                dest_addr_npi=to.npi,
                destination_addr=to.addr,
                esm_class=_UDHI if len(pieces) > 1 else 0,
                data_coding=choice.data_coding,
                short_message=piece,
            )
        )
        for piece in pieces
    ]
