"""What an account's contract says of its messages: what it may send, and what is put right.

*In*: the account, a submit_sm body with its decoded fields.
*Out*: the body as it goes on, or `Refused`. *Never*: a clock, a store; a text changed.

Part of admission. A draft without a callback gets the account's. Two things change octets of a body: a sender for messages that name none,
and ceilings. The meaning of data_coding 0 is written into data_coding itself, so that every room
behind (parts, receipts, routes, carriers) reads the text right without asking whose it was.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from pdu.address import guess_source
from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.message import AccountId, Draft
from smsc.ports import Refused

SMPP: Final = "smpp"
_DATA_CODING: Final = {"gsm7": 0, "ascii": 1, "latin1": 3, "ucs2": 8}
# Offsets back from text_at: sm_length is 1, sm_default_msg_id 2, data_coding 3.
_DATA_CODING_BACK: Final = 3


@attrs.frozen
class Terms:
    """An account's terms, made ready; see `terms_of`."""

    account: AccountConfig
    name: str
    data_coding: int

    def apply(self, draft: Draft, peek: SubmitPeek) -> tuple[bytes, SubmitPeek] | Refused:
        """Judge a draft; its body as the contract puts it right."""
        account, body = self.account, draft.body
        if account.callback_url and draft.callback_url is None:
            draft.callback_url = account.callback_url
            draft.callback_style = account.callback_style
        if account.service_types and peek.service_type not in account.service_types:
            why = f"account {self.name} may not use service_type {peek.service_type!r}"
            return Refused(Status.ESME_RINVSERTYP, why)
        changed = body
        # HTTP dialects encode texts themselves, and mean GSM-7 by 0.
        if self.data_coding and not peek.data_coding and draft.source == SMPP:
            changed = _patched(changed, peek.text_at - _DATA_CODING_BACK, self.data_coding)
        if peek.priority_flag > account.max_priority:
            changed = _patched(changed, _priority_at(body, peek), account.max_priority)
        if account.default_sender and not peek.source_addr:
            changed = _with_sender(changed, peek, account.default_sender)
        return (body, peek) if changed is body else (changed, peek_submit_sm(changed))


def terms_of(accounts: Mapping[AccountId, AccountConfig]) -> dict[AccountId, Terms]:
    """The accounts that have any: for the others there is nothing to look at."""
    terms = {
        name: Terms(account, name, _DATA_CODING[account.data_coding_0])
        for name, account in accounts.items()
    }
    return {
        name: one
        for name, one in terms.items()
        if one.data_coding
        or one.account.service_types
        or one.account.default_sender
        or one.account.callback_url
        or one.account.max_priority < 255
    }


def _patched(body: bytes, at: int, octet: int) -> bytes:
    return b"%b%c%b" % (body[:at], octet, body[at + 1 :])


def _source_at(peek: SubmitPeek) -> int:
    """Offset of source_addr_ton: service_type and its NUL stand before it."""
    return len(peek.service_type) + 1


def _priority_at(body: bytes, peek: SubmitPeek) -> int:
    """Offset of priority_flag: behind two addresses, esm_class and protocol_id."""
    source_end = body.index(b"\0", _source_at(peek) + 2)
    destination_end = body.index(b"\0", source_end + 3)
    return destination_end + 3


def _with_sender(body: bytes, peek: SubmitPeek, sender: str) -> bytes:
    at = _source_at(peek)
    ton, npi, addr = guess_source(sender)
    return b"%b%c%c%b%b" % (body[:at], ton, npi, addr.encode("ascii"), body[at + 2 :])
