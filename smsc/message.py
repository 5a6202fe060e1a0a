"""The canonical message: one submit_sm body, verbatim, plus an envelope.

*In*: a `Draft` built by the SMPP server or an HTTP dialect.
*Out*: `Message` and `Progress` as they lie in the store, `Delivery` as it lies in a mailbox.
*Never*: I/O, a clock, an SMPP session.

The stored unit is what the client got an id for. A long text is one message;
the outlet parts it, and `Progress.parts` keeps one octet of state for each part.
"""

from enum import IntEnum
from typing import NamedTuple, NewType

import attrs

from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.errors import BodyError

MessageId = NewType("MessageId", int)
AccountId = NewType("AccountId", str)
OutletName = NewType("OutletName", str)
Mailbox = NewType("Mailbox", str)


MAILBOX_KINDS = ("aside:", "callback:", "early:", "mail:", "mobile:", "queue:")
"""How mailboxes begin that are no account's own; no account may be called so."""


class State(IntEnum):
    """message_state of SMPP 5.0 §4.7.15; QUEUED and HELD, which the specification calls ENROUTE.

    HELD: a network may or may not have it, and its outlet must not send it twice.
    """

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    QUEUED = 16
    HELD = 17


QUEUED, ENROUTE, DELIVERED = State.QUEUED, State.ENROUTE, State.DELIVERED
"""By their bare names for hot loops: to look a member up in its class costs 0.1 µs."""

LIVE = frozenset({State.SCHEDULED, State.QUEUED, State.ENROUTE, State.HELD})
FINAL = frozenset(State) - LIVE

NOTICE_WISH = 0x10
"""Bit of registered_delivery: intermediate notifications are wanted (SMPP 5.0 §4.7.21)."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.EXPIRED, State.DELETED, State.REJECTED}),
    # replace_sm may give a message that waits another schedule.
    State.QUEUED: frozenset({State.QUEUED, State.ENROUTE, State.HELD, State.SCHEDULED}) | FINAL,
    State.ENROUTE: frozenset({State.QUEUED, State.ENROUTE, State.HELD}) | FINAL,
    State.HELD: frozenset({State.QUEUED, State.ENROUTE, State.HELD}) | FINAL,
} | {final: frozenset() for final in FINAL}
"""Where a message may go from each state; a final state is never left."""


NEW_BATCH = 0
"""`Draft.batch`: the id of the first message that is admitted with this one."""


@attrs.define(slots=True)
class Draft:
    """What a client asks to have sent, before intake has judged it.

    `body` is one submit_sm body as SMPP lays it out, addresses and text included.
    Times are ms UTC; 0 means "not asked for" (at once; the default validity).
    """

    account: AccountId
    source: str
    body: bytes
    due_ms: int = 0
    expires_ms: int = 0
    callback_url: str | None = None
    batch: int | None = None
    reference: str | None = None
    tags: tuple[str, ...] = ()
    peek: SubmitPeek | None = None
    """The fields of `body` when the session has read them already."""
    session: object | None = attrs.field(default=None, eq=False, repr=False)
    """The receiver (see `smsc.ports.Receiver`) of the session that it came from, if it has one."""
    callback_style: str = ""
    """How the callback is spoken to: "" as the native API does, else "STYLE" or "STYLE:REST".

    Only beside a `callback_url`. What REST means, the style says: the events that it asks for,
    GET or POST. See `bridges/callbacks/`.
    """
    asked: "Asked | None" = None
    """Set by the rule that changes the draft."""


class Asked(NamedTuple):
    """A message as the rules read it, kept where one of them changed it.

    Whoever asks the rules again (the next attempt, a restart, a reload) asks them about this:
    about its own work a rule might say something else.
    """

    body: bytes
    tags: tuple[str, ...]


@attrs.define(slots=True)
class Message:
    """A stored message: written at accept, read when it is claimed; replace_sm writes it anew."""

    id: MessageId
    account: AccountId
    source: str
    accepted_ms: int
    due_ms: int
    expires_ms: int
    priority: int
    registered_delivery: int
    callback_url: str | None
    batch: int | None
    reference: str | None
    tags: tuple[str, ...]
    body: bytes
    _peek: SubmitPeek | None = attrs.field(default=None, eq=False, repr=False)
    session: object | None = attrs.field(default=None, eq=False, repr=False)
    """As in `Draft`; in memory only, so what was read from disk has none."""
    callback_style: str = ""
    """As in `Draft`."""
    charge: tuple[str, str, str] | None = None
    """What was paid for it: the account that paid, the class of credit, the amount."""
    asked: Asked | None = None
    """As it was before a rule changed it; see `submitted`."""

    @property
    def peek(self) -> SubmitPeek:
        """The mandatory fields of `body`, read once."""
        if self._peek is None:
            self._peek = peek_submit_sm(self.body)
        return self._peek

    @property
    def submitted(self) -> tuple[bytes, SubmitPeek]:
        """Body and fields as the client knows them: what a rule made of them is for networks."""
        if self.asked is None:
            return self.body, self.peek
        return self.asked.body, peek_submit_sm(self.asked.body)

    @property
    def is_readable(self) -> bool:
        """Does the body parse? What was admitted does, unless the store or we have changed."""
        if self._peek is not None:
            return True
        try:
            return self.peek is not None
        except BodyError:
            return False


@attrs.define(slots=True)
class Progress:
    """How far a message is: the small record beside it, overwritten at each transition.

    `parts` holds one `State` octet for each part, so sent, delivered and failed are counts of it;
    it is empty until the outlet has parted the message. `upstream_ids` is parallel to it.
    `error` is the SMPP command_status or the network's error that explains the state, 0 if none.
    """

    state: State
    outlet: OutletName
    attempt: int = 0
    due_ms: int = 0
    done_ms: int = 0
    error: int = 0
    parts: bytes = b""
    upstream_ids: tuple[str, ...] = ()


@attrs.define(slots=True)
class Delivery:
    """A receipt or a mobile-originated message on its way home to an account.

    `body` is one deliver_sm body. Bound sessions send it as it is;
    the webhook reads the facts beside it. `message_id` is the message a receipt speaks of, else 0.
    """

    id: MessageId
    mailbox: Mailbox
    account: AccountId
    kind: str
    """"receipt", "notice" (still on its way, a network says) or "mo".

    Callbacks whose style asks for it hear more: "accepted" by the network, "rejected" by it (the
    end of a message that no network took), "buffered" (an attempt failed, more will follow), "told"
    (words for this style alone; see `smsc.ports.Telling`).
    """
    created_ms: int
    expires_ms: int
    body: bytes
    message_id: MessageId = MessageId(0)
    state: State = State.UNKNOWN
    error: int = 0
    callback_url: str | None = None
    reference: str | None = None
    attempt: int = 0
    session: object | None = attrs.field(default=None, eq=False, repr=False)
    """The receiver that should have it before others; in memory only."""
    callback_style: str = ""
    """As in `Draft`."""
    outlet: str = ""
    """The network that it came from or the message went to; known where there is a style."""
    upstream_id: str = ""
    """What that network calls the message, or its first part; known where there is a style."""
    holder: object | None = attrs.field(default=None, eq=False, repr=False)
    """The receiver that has it in hand, or had it last; in memory only."""
