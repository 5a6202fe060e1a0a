"""Signatures of Standard Webhooks 1.0.0: who posts this, and when, the receiver can check.

*In*: an id, the time, the octets of a body, keys. *Out*: three headers.
*Never*: I/O, a clock, a key in a log.

    webhook-signature: v1,base64(HMAC-SHA256(key, id "." timestamp "." body)) for each key

https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_OCTETS = range(24, 65)


def read_secret(secret: str) -> bytes | None:
    """The key of a secret "whsec_BASE64"; None if it is none, or not 24 to 64 octets long."""
    if not secret.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return None
    return key if len(key) in KEY_OCTETS else None


def signature_headers(
    id_: str, now_ms: int, body: bytes, keys: Sequence[bytes]
) -> tuple[tuple[str, str], ...]:
    """webhook-id, webhook-timestamp (unix seconds) and, with at least one key, a signature."""
    timestamp = str(now_ms // 1000)
    headers = (("webhook-id", id_), ("webhook-timestamp", timestamp))
    if not keys:
        return headers
    signed = f"{id_}.{timestamp}.".encode() + body
    signatures = (
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys
    )
    return (*headers, ("webhook-signature", " ".join(signatures)))
