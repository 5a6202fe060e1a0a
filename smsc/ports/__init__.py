"""Ports: what the rooms ask of each other, and the closed unions that they answer with.

*Never*: behaviour. Whoever implements a port says there how; whoever calls it reads here what.
Every `…_nowait` verb returns at once and calls `done` later, in the event loop, exactly once.

One file a noun: `intake` (the door in), `outlets` (the ways out), `homeward` (deliveries), `callbacks`,
`store`, `traffic` (questions about messages), and the directory: `directory` (who may speak),
`credits`, `contacts`, `inbox`.
"""

from smsc.ports.callbacks import CallbackEvent, CallbackTerms, EventsOf, Telling
from smsc.ports.contacts import Contact, ContactGroup, Contacts
from smsc.ports.credits import Credits, Movement, Price
from smsc.ports.directory import AccountStatus, Directory, NewProfile, Profile
from smsc.ports.homeward import (
    Again,
    DeliveryOutcome,
    Done,
    Dropped,
    Mailboxes,
    Receiver,
    SetAside,
)
from smsc.ports.idempotency import Answer, Claim, Idempotency
from smsc.ports.inbox import Inbox, InboxKind, InboxQuery, Received
from smsc.ports.intake import Admission, Admitted, Companion, Refused, Submit
from smsc.ports.outlets import (
    ANY_NETWORK,
    Failed,
    Flow,
    Held,
    MobileOriginated,
    Outcome,
    Outgoing,
    Outlet,
    OutletPolicy,
    Sent,
    TryLater,
    UpstreamReceipt,
)
from smsc.ports.store import (
    Alarm,
    Batch,
    CommitResult,
    Committed,
    Control,
    Store,
    StoreFull,
)
from smsc.ports.traffic import Foreseen, Health, Lookup, MessagePage, MessageQuery, MessageReport

__all__ = [
    "ANY_NETWORK",
    "AccountStatus",
    "Admission",
    "Admitted",
    "Again",
    "Alarm",
    "Answer",
    "Batch",
    "CallbackEvent",
    "CallbackTerms",
    "Claim",
    "CommitResult",
    "Committed",
    "Companion",
    "Contact",
    "ContactGroup",
    "Contacts",
    "Control",
    "Credits",
    "DeliveryOutcome",
    "Directory",
    "Done",
    "Dropped",
    "EventsOf",
    "Failed",
    "Flow",
    "Foreseen",
    "Health",
    "Held",
    "Idempotency",
    "Inbox",
    "InboxKind",
    "InboxQuery",
    "Lookup",
    "Mailboxes",
    "MessagePage",
    "MessageQuery",
    "MessageReport",
    "MobileOriginated",
    "Movement",
    "NewProfile",
    "Outcome",
    "Outgoing",
    "Outlet",
    "OutletPolicy",
    "Price",
    "Profile",
    "Received",
    "Receiver",
    "Refused",
    "Sent",
    "SetAside",
    "Store",
    "StoreFull",
    "Submit",
    "Telling",
    "TryLater",
    "UpstreamReceipt",
]
