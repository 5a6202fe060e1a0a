"""Signatures of Standard Webhooks 1.0.0: who posts this, and when, the receiver can check.

*In*: an id, the time, the octets of a body, keys. *Out*: three headers.
*Never*: I/O, a clock, a key in a log.

    webhook-signature: v1,base64(HMAC-SHA256(key, id "." timestamp "." body)) for each key

https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence


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
