"""Token buckets: how many messages, or parts of them, an account may hand in now.

*In*: a rate and the moment in seconds of a monotonic clock. *Out*: how many are granted.
*Never*: waits; the caller refuses what was not granted with ESME_RTHROTTLED.
"""

from pdu.codec import SubmitPeek
from pdu.text.segmenter import count_parts
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv

_UDHI = 0x40
_ONE_PART_OCTETS = 140


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up; rate 0 grants everything."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self.rate = rate
        self.burst = burst if burst is not None else max(rate, 1.0)
        self._tokens = self.burst
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """Grant up to `wanted` whole tokens."""
        if not self.rate:
            return wanted
        self._refill(now)
        granted = min(wanted, max(0, int(self._tokens)))
        self._tokens -= granted
        return granted

    def take_all(self, wanted: int, now: float) -> bool:
        """Grant all of `wanted` or nothing.

        What is larger than the burst passes when the bucket is full, and is owed afterwards:
        else it could never pass.
        """
        if not self.rate:
            return True
        self._refill(now)
        if self._tokens < min(wanted, self.burst):
            return False
        self._tokens -= wanted
        return True

    def _refill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now


def parts_of(body: bytes, peek: SubmitPeek) -> int:
    """How many messages on the air a submit_sm body makes, by its text and data_coding."""
    if peek.sm_length:
        if peek.sm_length <= _ONE_PART_OCTETS:
            return 1
        data = body[peek.text_at : peek.text_at + peek.sm_length]
    elif peek.tlvs_at < len(body):
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    else:
        return 1
    header, text = b"", data
    if peek.esm_class & _UDHI:
        header, text = split_header(data) or (b"", data)
    return count_parts(text, peek.data_coding, udh=header)
