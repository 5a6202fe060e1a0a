"""From a carrier's deliver_sm to what the house reads: data_coding 0 means GSM-7, unpacked.

*In*: the body of a message from a handset, what the carrier means by data_coding 0.
*Out*: a body that says the same. *Never*: another text; a carrier without that quirk.
"""

from typing import Final

from bridges.outgoing import UDHI, with_text
from pdu.codec import peek_deliver_sm
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.text.alphabet import Alphabet
from pdu.text.packing import unpack_short_message
from pdu.tlvs import Tag, find_tlv, pack_tlv

_DATA_CODING: Final = {Alphabet.LATIN1: 3, Alphabet.ASCII: 1}
"""Alphabets that have a number of their own: the text may stay (SMPP 3.4 §5.2.19)."""


def in_our_alphabet(body: bytes, theirs: Alphabet) -> bytes:
    """The deliver_sm body as others would send it."""
    peek = peek_deliver_sm(body)
    if peek.data_coding:
        return body
    text = body[peek.text_at : peek.text_at + peek.sm_length]
    in_payload = not text and find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD)
    text = in_payload or text
    if theirs is Alphabet.GSM7_PACKED:
        text = unpack_short_message(text, has_udh=bool(peek.esm_class & UDHI))
    coding = _DATA_CODING.get(theirs, 0)
    if not in_payload and len(text) <= SHORT_MESSAGE_OCTETS:
        return with_text(body, peek, text, peek.esm_class, coding)
    payload = pack_tlv(Tag.MESSAGE_PAYLOAD, text)
    return with_text(body, peek, b"", peek.esm_class, coding) + payload
