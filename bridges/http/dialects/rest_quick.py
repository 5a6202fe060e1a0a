"""HOT: the quick way for plain messages: a number, a sender, a short GSM-7 text, a receipt wish.

*In*: one JSON value of a native request. *Out*: `Wanted`, or None: then `rest` reads it slowly.
*Never*: an error of its own; another answer than the slow way has, which tests hold it to.

What makes it quick: one look at the members, sender addresses from a bounded cache, and one format
instead of a PDU object. µs of CPU for a message: see `bench/http.py`.
"""

import re
from functools import lru_cache
from typing import Any, Final

import attrs

from bridges.http.dialects.base import ReadNumber, check_callback_url
from pdu.address import SHORT_CODE_DIGITS, Ton, guess_source, source_fault
from pdu.text import gsm7
from smsc.message import AccountId, Draft

SOURCE = "rest"
_MEMBERS: Final = frozenset({"to", "from", "text", "receipt", "reference", "callback_url"})
_REFERENCE_CHARACTERS: Final = 255
_SINGLE_SEPTETS: Final = 160
_is_international: Final = re.compile(
    rf"\+?[0-9]{{{SHORT_CODE_DIGITS + 1},15}}", re.ASCII
).fullmatch
_encode: Final = gsm7.encode
_BODY: Final = b"\0%b\1\1%b\0\0\0\0\0\0%c\0\0\0%c%b"
"""A submit_sm body (SMPP 3.4 §4.4.1) whose rest is 0: source, destination, registered_delivery,
sm_length, short_message."""


@attrs.frozen
class Style:
    """What an account's messages have when they do not say otherwise."""

    sender: str = ""
    footer: str = ""
    read: ReadNumber = str


PLAIN: Final = Style()


@attrs.define(slots=True)
class Wanted:
    """A message that can be submitted, and the facts that the answer repeats."""

    draft: Draft
    to: str
    parts: int
    coding: str


def read(item: Any, account: AccountId, style: Style) -> Wanted | None:
    """A plain message; None for any other, and for all that is wrong."""
    if type(item) is not dict or not item.keys() <= _MEMBERS or style.footer:
        return None
    to, text, reference = item.get("to"), item.get("text"), item.get("reference")
    if type(to) is not str or type(text) is not str or not _is_international(to):
        return None
    septets = _encode(text)
    if not septets or len(septets) > _SINGLE_SEPTETS:
        return None
    receipt = item.get("receipt")
    if receipt is not None and type(receipt) is not bool:
        return None
    if reference is not None and not _is_reference(reference):
        return None
    url = item.get("callback_url")
    if url is not None and (type(url) is not str or not _is_callback_url(url)):
        return None
    sender = item.get("from")
    if sender is not None and (type(sender) is not str or len(sender) > 64):
        return None
    source = _source(sender or style.sender, style.read)
    if source is None:
        return None
    digits = style.read(to).removeprefix("+")
    wish = 1 if receipt or (receipt is None and url is not None) else 0
    body = _BODY % (source, digits.encode(), wish, len(septets), septets)
    return Wanted(Draft(account, SOURCE, body, 0, 0, url, None, reference), to, 1, "gsm7")


def _is_reference(reference: object) -> bool:
    return type(reference) is str and len(reference) <= _REFERENCE_CHARACTERS


@lru_cache(maxsize=1024)  # a program has one URL, or one for each message: then it costs as before
def _is_callback_url(url: str) -> bool:
    return check_callback_url(url) is None


@lru_cache(maxsize=4096)  # few senders, many messages
def _source(sender: str, read: ReadNumber) -> bytes | None:
    """source_addr_ton, source_addr_npi, source_addr; None for what the slow way must judge."""
    ton, npi, addr = guess_source(read(sender))
    if source_fault(ton, npi, addr) is not None or not addr.isascii() or "\0" in addr:
        return None
    assert ton in set(Ton)
    return b"%c%c%b\0" % (ton, npi, addr.encode())
