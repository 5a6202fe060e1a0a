"""A message as an online service wants it: text instead of octets, flags instead of codings.

*In*: a stored message; whether the service parts long texts itself.
*Out*: one `Sms` for each request. *Never*: a service's own names.
"""

from urllib.parse import quote_plus

import attrs

from bridges.outgoing import part_bodies, unsent_parts
from pdu.address import Ton
from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.status import Status
from pdu.text import gsm7
from pdu.text.alphabet import Alphabet, MessageClass, alphabet_of, message_class
from pdu.text.coding import decode_text
from pdu.text.errors import TextError
from pdu.text.segmenter import count_parts
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv
from smsc.message import Message, MessageId
from smsc.ports import Failed, Outgoing

_UDHI = 0x40
_NOT_INTERNATIONAL = frozenset(
    {Ton.NATIONAL, Ton.NETWORK_SPECIFIC, Ton.SUBSCRIBER, Ton.ABBREVIATED}
)
_SHORTEST_NUMBER = 7
"""Digits; what is shorter is a short code, which no plus belongs before."""


@attrs.define(slots=True)
class Sms:
    """One message, or one part of it, for one recipient."""

    id: MessageId
    part: int
    parts: int
    to: str
    """Digits of the number, without a plus."""
    is_national: bool
    """Did the client say that `to` is no international number?"""
    sender: str
    """A number without plus, a name, or "" for the service's default."""
    is_sender_ours: bool
    """Did the connector set the sender?"""
    text: str
    data: bytes
    """The octets, without a header, as they were coded."""
    data_coding: int
    udh: bytes
    """User data header, its length first; "" for most."""
    is_octets: bool
    """Is the content no text?"""
    is_flash: bool
    validity_s: int
    """How long it is to be tried, where the client said so; else 0."""
    receipt_url: str
    """Where the service is to tell of the end; "" where it is not told."""

    @property
    def reference(self) -> str:
        """Our name for it, at most 23 characters: the id, and the part where there are several."""
        return str(self.id) if self.parts == 1 else f"{self.id}.{self.part}"

    @property
    def is_unicode(self) -> bool:
        """Has the text characters that GSM-7 has not?"""
        return gsm7.encode(self.text) is None

    @property
    def text_parts(self) -> int:
        """How many parts the text makes on the air."""
        septets = gsm7.encode(self.text)
        if septets is None:
            return count_parts(self.text.encode("utf-16-be", "replace"), 8)
        return count_parts(septets, 0)

    @property
    def plus_to(self) -> str:
        """`to` as E.164 is written; a short code or a national number as it is."""
        return self.to if self.is_national else with_plus(self.to)

    @property
    def plus_sender(self) -> str:
        """The sender with a plus if it is a number."""
        return with_plus(self.sender)

    @property
    def referring_url(self) -> str:
        """`receipt_url` with our reference as its parameter `ref`; "" without."""
        return f"{self.receipt_url}?ref={quote_plus(self.reference)}" if self.receipt_url else ""


@attrs.frozen
class Dress:
    """What a connector puts on every message."""

    sender: str = ""
    """Instead of the client's; "" leaves it."""
    default_sender: str = ""
    """Where the client gave none."""
    receipt_url: str = ""
    in_parts: bool = False
    """Part long texts, with a user data header."""
    takes_octets: bool = False


PLAIN_DRESS = Dress()


def with_plus(number: str) -> str:
    """A number as E.164 is written; names, short codes and national numbers as they are.

    No country code begins with 0 (ITU-T E.164 §6.2.1).
    """
    is_number = number.isascii() and number.isdecimal() and len(number) >= _SHORTEST_NUMBER
    return f"+{number}" if is_number and not number.startswith("0") else number


def read_sms(outgoing: Outgoing, dress: Dress, now_ms: int) -> list[Sms] | Failed:
    """What is still to be sent of a message, one for each request; or why it never can be."""
    message = outgoing.message
    bodies = [message.body]
    if dress.in_parts:
        try:
            bodies = part_bodies(message, ask_receipts=False)
        except TextError:
            return Failed(message.id, Status.ESME_RINVMSGLEN)
    parts = len(bodies)
    made = []
    for part in unsent_parts(outgoing.progress.parts, parts):
        peek = message.peek if parts == 1 else peek_submit_sm(bodies[part])
        body = message.body if parts == 1 else bodies[part]
        sms = _read(message, body, peek, part, parts, dress, now_ms)
        if sms.is_octets and not dress.takes_octets:
            return Failed(message.id, Status.ESME_RINVDCS)  # the whole: all parts have one coding
        made.append(sms)
    return made


def _read(
    message: Message,
    body: bytes,
    peek: SubmitPeek,
    part: int,
    parts: int,
    dress: Dress,
    now_ms: int,
) -> Sms:
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    udh = b""
    if peek.esm_class & _UDHI:
        udh, data = split_header(data) or (b"", data)
    coding = peek.data_coding
    given = peek.source_addr.removeprefix("+") or dress.default_sender.removeprefix("+")
    to = peek.destination_addr
    return Sms(
        id=message.id,
        part=part,
        parts=parts,
        to=to.removeprefix("+"),
        is_national=peek.dest_addr_ton in _NOT_INTERNATIONAL,
        sender=dress.sender.removeprefix("+") or given,
        is_sender_ours=bool(dress.sender) or not peek.source_addr,
        text=decode_text(data, coding, udh=udh),
        data=data,
        data_coding=coding,
        udh=udh,
        is_octets=alphabet_of(coding) is Alphabet.OCTETS,
        is_flash=message_class(coding) is MessageClass.FLASH,
        validity_s=max(1, (message.expires_ms - now_ms) // 1000) if peek.validity_period else 0,
        receipt_url=dress.receipt_url,
    )
