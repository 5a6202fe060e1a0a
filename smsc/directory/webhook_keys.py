"""The secrets that an account's callbacks are signed with, as Standard Webhooks writes them.

*In*: "whsec_" and base64 of 24 to 64 octets. *Out*: the octets.
*Never*: a signature (`bridges/callbacks/signing.py` makes those), a secret in a sentence.
"""

import base64
from collections.abc import Iterable

PREFIX = "whsec_"
KEY_OCTETS = range(24, 65)
EXPECTED = f'expected "{PREFIX}" and {KEY_OCTETS[0]} to {KEY_OCTETS[-1]} octets in base64'


def key_of(secret: str) -> bytes | None:
    """The key of a secret; None if it is none."""
    if not secret.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # no base64, or not ASCII
        return None
    return key if len(key) in KEY_OCTETS else None


def keys_of(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """The keys of those that are given, in order; "" is none."""
    return tuple(key for secret in secrets if (key := key_of(secret)) is not None)
