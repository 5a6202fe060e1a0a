"""Cursors: where the next page of a list begins, as text that means nothing to its reader.

*In*: the number that the next page lies below. *Out*: text for a query, and back.
*Never*: a secret; a cursor of another account shows nothing that its own list would not.
"""

import base64
import binascii
from hashlib import blake2b

_NUMBER_OCTETS = 8


def to_cursor(below: int | None) -> str | None:
    """The cursor of a page below a number; None after the last page."""
    if below is None:
        return None
    number = below.to_bytes(_NUMBER_OCTETS, "big")
    return base64.urlsafe_b64encode(number + _check(number)).decode()


def from_cursor(text: str) -> int | None:
    """The number of a cursor; None if it is none of ours."""
    try:
        octets = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    number, check = octets[:_NUMBER_OCTETS], octets[_NUMBER_OCTETS:]
    return int.from_bytes(number, "big") if check == _check(number) else None


def _check(number: bytes) -> bytes:
    return blake2b(number, digest_size=4, person=b"smsc cursor").digest()
