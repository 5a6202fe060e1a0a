"""What the HTTP bridge asks of the gateway: one door, one look-up, who is calling, how is it.

*In*: nothing; protocols only. The roof implements them.
*Out*: the values of `smsc.ports`.
*Never*: behaviour.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from smsc.message import AccountId, Draft, MessageId
from smsc.ports import (
    Answer,
    Claim,
    Contacts,
    Credits,
    Directory,
    Foreseen,
    Health,
    Inbox,
    Lookup,
    Refused,
    Submit,
    Telling,
    UpstreamReceipt,
)
from smsc.ports.idempotency import AnswerOf


class Account(Protocol):
    """Who is calling, once the password was right."""

    @property
    def name(self) -> str:
        """The system_id; the key of the account in the configuration."""

    @property
    def admin(self) -> bool:
        """True if it may see messages of others and use admin operations."""

    def may_send_as(self, source_addr: str) -> bool:
        """Is that one of the senders the account may use?"""


class Gateway(Protocol):
    """The gateway as an HTTP client may use it."""

    @property
    def submit(self) -> Submit:
        """The one door in."""

    @property
    def lookup(self) -> Lookup:
        """Questions about stored messages; an admin account sees all of them."""

    @property
    def directory(self) -> Directory:
        """Every account and what is known of it."""

    @property
    def credits(self) -> Credits:
        """Balances, prices and the ledger."""

    @property
    def contacts(self) -> Contacts:
        """The phonebooks."""

    @property
    def inbox(self) -> Inbox:
        """Received messages that are kept."""

    def number_reader(self, account: AccountId) -> Callable[[str], str]:
        """What reads numbers as that account writes them; `str` without a region."""

    def now_ms(self) -> int:
        """The gateway's clock, ms UTC."""

    async def authenticate(self, account: str, password: str, peer: str) -> Account | Refused:
        """Check the account and password of a client at address `peer` ("" if unknown).

        ESME_RINVSYSID and ESME_RINVPASWD mean "who are you?" (HTTP 401), any other status
        means "you may not" (HTTP 403): account closed, wrong network (ESME_RPROHIBITED).
        """

    async def authenticate_token(self, account: str, token: str, peer: str) -> Account | Refused:
        """As `authenticate`, with the account's API token; slowed down in the same way."""

    async def cancel(self, account: AccountId, id_: MessageId) -> Refused | None:
        """End a message that did not leave yet; an admin may end those of others."""

    async def replace(self, account: AccountId, id_: MessageId, draft: Draft) -> Refused | None:
        """Give a message that did not leave yet another text, schedule, validity or receipt wish.

        Addresses stay: those of `draft` must be those of the message.
        """

    def begin(
        self, account: AccountId, key: str, request: bytes, answer_of: AnswerOf
    ) -> Claim | Answer | Refused:
        """What an Idempotency-Key stands for; see `smsc.ports.Idempotency`."""

    def preview(self, draft: Draft) -> Foreseen | Refused:
        """What would become of a message, without sending it: parts, price, way."""

    def health(self) -> Health:
        """Whether the gateway can take messages, and what lies behind that."""

    async def simulate_mo(self, outlet: str, from_: str, to: str, text: str) -> str | None:
        """Make a simulator outlet receive a message from a handset; a sentence if it cannot."""

    async def inject_mo(
        self, outlet: str, from_: str, to: str, text: str, *, key: str = ""
    ) -> Refused | None:
        """Route a message as if the network of `outlet` had brought it (any outlet's name).

        `key` is what that network calls it: the same one again within a day is the same message,
        and is not delivered a second time. "" = every one is another.
        """

    async def take_receipt(self, receipt: UpstreamReceipt) -> Refused | None:
        """What a network says became of a message, by HTTP; None after fsync.

        A receipt for an id that nobody knows is kept for a while: it may be early.
        """

    async def tell(self, tellings: Sequence[Telling]) -> None:
        """Have clients told something by HTTP, as receipts are; returns after fsync."""

    async def control_outlet(self, outlet: str, action: str) -> str | None:
        """Start, stop or drain an outlet, or decide on what it holds; a sentence if it cannot."""
