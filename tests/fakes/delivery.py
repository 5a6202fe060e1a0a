"""A delivery as the flow parks it, for tests of those who take it."""

import attrs

from bridges.http.dialects.base import Content, text_content, to_body
from smsc.message import AccountId, Delivery, Mailbox, MessageId, State

NOW_MS = 1_764_000_000_000


def a_delivery(number: int = 1, **changes: object) -> Delivery:
    """A receipt from 41791234567 to 12345, or what `changes` make of it; `text` is its text."""
    content = text_content(str(changes.pop("text", "secret words")))
    assert isinstance(content, Content)
    body = to_body("41791234567", "12345", content)
    assert isinstance(body, bytes)
    delivery = Delivery(
        id=MessageId(number),
        mailbox=Mailbox("callback:http://h:80"),
        account=AccountId("demo"),
        kind="receipt",
        created_ms=NOW_MS,
        expires_ms=0,
        body=body,
        message_id=MessageId(77),
        state=State.DELIVERED,
        callback_url="http://h/dlr?token=hidden",
        reference="r1",
    )
    return attrs.evolve(delivery, **changes)  # type: ignore[arg-type]  # named by the caller
