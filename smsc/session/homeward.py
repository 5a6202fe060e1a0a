"""Texts for accounts that mean something else by data_coding 0.

*In*: a deliver_sm body whose data_coding 0 is GSM-7, as in every body of ours.
*Out*: the same text as the account reads it. *Never*: a text with a character lost.

What the account sends is put right by `smsc.flow.terms`; this is the way home. SMPP 3.4 §5.2.19.
"""

from typing import Final

from pdu.codec import SubmitPeek, peek_deliver_sm
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.text.alphabet import Alphabet
from pdu.text.coding import decode_text, encode_text
from smsc.config_accounts import Meaning0

_ALPHABETS: Final = {
    "gsm7": Alphabet.GSM7,
    "ascii": Alphabet.ASCII,
    "latin1": Alphabet.LATIN1,
    "ucs2": Alphabet.UCS2,
}
_UDHI: Final = 0x40
_UCS2: Final = 8
# Offsets back from text_at: sm_length is 1, sm_default_msg_id 2, data_coding 3.
_DATA_CODING_BACK: Final = 3


def homeward_body(body: bytes, meaning: Meaning0) -> bytes:
    """The body with its text in the account's own alphabet, or in UCS-2 where that cannot say it.

    A part of a longer text stays as it came: with another length it would no longer fit its place.
    """
    peek = peek_deliver_sm(body)
    if peek.data_coding or peek.esm_class & _UDHI or not peek.sm_length:
        return body
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    text = decode_text(data, 0)
    for data_coding, alphabet in ((0, _ALPHABETS[meaning]), (_UCS2, Alphabet.UCS2)):
        encoded = encode_text(text, data_coding, alphabet)
        if encoded is not None and len(encoded) <= SHORT_MESSAGE_OCTETS:
            return body if encoded == data else _with(body, peek, data_coding, encoded)
    return body


def _with(body: bytes, peek: SubmitPeek, data_coding: int, text: bytes) -> bytes:
    at = peek.text_at
    return b"".join(
        (
            body[: at - _DATA_CODING_BACK],
            bytes((data_coding, body[at - 2], len(text))),
            text,
            body[at + peek.sm_length :],
        )
    )
