"""Messages as connectors get them, for tests of services."""

import attrs

from bridges.connectors.sms import Dress, Sms, read_sms
from bridges.http.dialects.base import Content, text_content, to_body
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import Failed, Outgoing

NOW_MS = 1_790_000_000_000
FAR_MS = NOW_MS + 3_600_000


def message_of(body: bytes, id_: int = 7, **changes: object) -> Message:
    message = Message(
        id=MessageId(id_),
        account=AccountId("demo"),
        source="rest",
        accepted_ms=NOW_MS,
        due_ms=0,
        expires_ms=FAR_MS,
        priority=0,
        registered_delivery=1,
        callback_url=None,
        batch=None,
        reference=None,
        tags=(),
        body=body,
    )
    return attrs.evolve(message, **changes)  # type: ignore[arg-type]  # named by the caller


def outgoing_of(
    text: str = "Hello",
    to: str = "+41791234567",
    sender: str = "Shop",
    id_: int = 7,
    *,
    expires_ms: int = 0,
) -> Outgoing:
    content = text_content(text)
    assert isinstance(content, Content)
    body = to_body(sender, to, content, expires_ms=expires_ms)
    assert isinstance(body, bytes)
    return Outgoing(message_of(body, id_), Progress(State.QUEUED, OutletName("")))


def sms_of(text: str = "Hello", dress: Dress | None = None, **changes: object) -> Sms:
    """One message; `changes` are fields of `Sms`, and `sender`, `to`."""
    made = read_sms(outgoing_of(text), dress or Dress(), NOW_MS)
    assert not isinstance(made, Failed)
    return attrs.evolve(made[0], **changes)  # type: ignore[arg-type]  # named by the caller
