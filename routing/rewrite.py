"""What routing decided about a message's body, done to it.

*In*: a submit_sm body, what was read of it, and `Actions`.
*Out*: `Rewritten`: the new body, and what could not be done, for the log.
*Never*: a broken part: a text that the client has parted itself keeps its text, and so does what
is not text. Validity, charge and dropping concern the envelope; intake does those.

SMPP 3.4 §4.4.1; a text beyond 254 octets moves to message_payload (§5.3.2.32).
"""

from typing import Final, NamedTuple

from pdu.address import Address, guess_destination
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.peek import SubmitPeek, peek_submit_sm
from pdu.text.alphabet import Alphabet, MessageClass, alphabet_of, message_class, with_class
from pdu.text.coding import choose, decode_text, encode_text, encode_utf16
from pdu.text.septets import REPLACEMENT
from pdu.text.transliteration import transliterate
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv, iter_tlvs, pack_tlv
from routing.actions import Actions

UDHI: Final = 0x40
_PAYLOAD_LIMIT: Final = 0xFFFF
_ADDRESS_LIMIT: Final = 20
_DATA_CODING: Final = 3
"""Octets that data_coding stands before text_at: itself, sm_default_msg_id, sm_length."""


class Rewritten(NamedTuple):
    """A body as it is to be stored."""

    body: bytes
    peek: SubmitPeek
    left_undone: tuple[str, ...] = ()
    """Clauses for the log: what was asked for and why it was not done."""


def rewrite(body: bytes, peek: SubmitPeek, actions: Actions) -> Rewritten:
    """Do what `actions` say about addresses and text; the same objects when that is nothing.

    :param peek: of this body.
    """
    if not actions.changes_body:
        return Rewritten(body, peek)
    undone: tuple[str, ...] = ()
    if actions.transliterate or actions.footer:
        body, undone = _with_new_text(body, peek, actions)
    if actions.destination_addr is not None or actions.source is not None:
        body, refused = _with_addresses(body, peek, actions.source, actions.destination_addr)
        undone += refused
    return Rewritten(body, peek_submit_sm(body), undone)


def text_of(body: bytes, peek: SubmitPeek) -> str:
    """The text of a body, its user data header left out."""
    header, data = data_of(body, peek)
    return decode_text(data, peek.data_coding, udh=header)


# --- addresses -----------------------------------------------------------------------------


def _with_addresses(
    body: bytes, peek: SubmitPeek, source: Address | None, destination_addr: str | None
) -> tuple[bytes, tuple[str, ...]]:
    """Everything up to destination_addr anew, the rest as it is."""
    undone: list[str] = []
    old_source = Address(peek.source_addr_ton, peek.source_addr_npi, peek.source_addr)
    old_destination = Address(peek.dest_addr_ton, peek.dest_addr_npi, peek.destination_addr)
    new_source = source or old_source
    new_destination = old_destination
    if destination_addr is not None:
        new_destination = guess_destination(destination_addr)
    for what, old, new in (
        ("sender", old_source, new_source),
        ("recipient", old_destination, new_destination),
    ):
        if new != old and (len(new.addr) > _ADDRESS_LIMIT or not new.addr.isascii()):
            undone.append(f"the {what} {new.addr!r} does not fit an address")
    if undone:
        return body, tuple(undone)
    service = peek.service_type.encode("latin-1")
    head = len(service) + 1
    rest_at = head + _size(old_source) + _size(old_destination)
    return (
        b"".join(
            (body[:head], _packed(new_source), _packed(new_destination), body[rest_at:]),
        ),
        (),
    )


def _size(address: Address) -> int:
    return 2 + len(address.addr) + 1


def _packed(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + address.addr.encode("latin-1") + b"\0"


# --- text ----------------------------------------------------------------------------------


def _with_new_text(
    body: bytes, peek: SubmitPeek, actions: Actions
) -> tuple[bytes, tuple[str, ...]]:
    asked = "footer" if actions.footer else "transliteration"
    header, data = data_of(body, peek)
    why = _untouchable(body, peek, header)
    if why is not None:
        return body, (f"no {asked}: {why}",)
    text = decode_text(data, peek.data_coding)
    if REPLACEMENT in text:  # what cannot be read cannot be written again
        return body, (f"no {asked}: the text holds octets that are none of its coding",)
    wanted = text + actions.footer
    if actions.transliterate:
        wanted = transliterate(wanted, lossy=actions.transliterate == "lossy")
    if wanted == text:
        return body, ()
    coded = _coded(wanted, peek.data_coding)
    if len(coded[1]) > _PAYLOAD_LIMIT:
        return body, (f"no {asked}: the text would be too long",)
    return _with_text(body, peek, coded), ()


def _untouchable(body: bytes, peek: SubmitPeek, header: bytes) -> str | None:
    """Why the text must stay as it is; None when it may change."""
    if alphabet_of(peek.data_coding) is Alphabet.OCTETS:
        return "the message is no text"
    if header:  # a concatenation, national tables, ports: things that a text is not alone with
        return "the message has a user data header of its own"
    if peek.tlvs_at < len(body) and find_tlv(body, peek.tlvs_at, Tag.SAR_MSG_REF_NUM) is not None:
        return "the client parted the message"
    return None


def _coded(text: str, data_coding: int) -> tuple[int, bytes]:
    """data_coding and octets: the client's coding for the class, the cheapest for the text."""
    class_ = message_class(data_coding)
    if class_ is None:
        same = encode_text(text, data_coding)
        if same is not None and alphabet_of(data_coding) is not Alphabet.UCS2:
            return data_coding, same
        best = choose(text)
        return best.data_coding, best.data
    return _coded_in_class(text, class_)


def _coded_in_class(text: str, class_: MessageClass) -> tuple[int, bytes]:
    septets = encode_text(text, 0)
    if septets is not None:
        return with_class(Alphabet.GSM7, class_), septets
    return with_class(Alphabet.UCS2, class_), encode_utf16(text)


def data_of(body: bytes, peek: SubmitPeek) -> tuple[bytes, bytes]:
    """(user data header, text), from short_message or message_payload."""
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data and peek.tlvs_at < len(body):
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    if not peek.esm_class & UDHI:
        return b"", data
    return split_header(data) or (b"", data)


def _with_text(body: bytes, peek: SubmitPeek, coded: tuple[int, bytes]) -> bytes:
    data_coding, data = coded
    coding_at = peek.text_at - _DATA_CODING
    tlvs = b"".join(
        pack_tlv(tag, value)
        for tag, value in iter_tlvs(body, peek.tlvs_at)
        if tag != Tag.MESSAGE_PAYLOAD
    )
    short = data
    if len(data) > SHORT_MESSAGE_OCTETS:
        short = b""
        tlvs += pack_tlv(Tag.MESSAGE_PAYLOAD, data)
    head = body[:coding_at] + bytes((data_coding,)) + body[coding_at + 1 : peek.text_at - 1]
    return head + bytes((len(short),)) + short + tlvs
