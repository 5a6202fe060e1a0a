"""One message through one connector's settings alone, each step shown: for people who set it up.

*In*: the settings of an outlet, a recipient, a text. *Out*: steps, secrets hidden; what they mean.
*Never*: a store, a route, another attempt, a receipt.
"""

import time
from collections.abc import Callable
from typing import Any, assert_never

import attrs
import structlog
import trio

from bridges.connectors import kinds
from bridges.connectors.connector import Connector
from bridges.connectors.exchange import NoAnswer, NotSent
from bridges.connectors.masking import Mask
from bridges.connectors.sender import Attempted, HttpSender, Step
from bridges.connectors.service import Declined, Request, Response, Taken, Unclear
from bridges.connectors.settings import secrets_of
from bridges.connectors.sms import Sms, read_sms
from bridges.http.dialects.base import Content, Invalid, hex_content, text_content, to_body
from pdu.status import status_name
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import Failed, Outgoing

_FLASH_GSM7, _FLASH_UCS2 = 0x10, 0x18
_VALID_MS = 3_600_000

Show = Callable[[str, list[str]], None]
"""Told each step: its name, and its lines."""


@attrs.frozen
class Asked:
    """What to send."""

    to: str
    text: str
    sender: str = ""
    is_flash: bool = False


def run_trial(name: str, kind: str, config: Any, asked: Asked, show: Show) -> bool:
    """Send one message; True if the service took all of it."""
    outgoing = _outgoing(asked)
    if isinstance(outgoing, Invalid):
        show("wrong", [outgoing.sentence()])
        return False
    return trio.run(_run, name, kind, config, outgoing, show)


def ask_balance(name: str, kind: str, config: Any, show: Show) -> float | None:
    """The balance at the service; None where it has none, or does not say."""
    return trio.run(_ask_balance, name, kind, config, show)


async def _run(name: str, kind: str, config: Any, outgoing: Outgoing, show: Show) -> bool:
    mask = Mask(secrets_of(config))
    connector = _connector(name, kind, config, mask, show)
    made = read_sms(outgoing, connector.dress, int(time.time() * 1000))
    if isinstance(made, Failed):
        show("outcome", [f"the service cannot carry this message: {status_name(made.status)}"])
        return False
    try:
        async with connector.sender.opened():
            return all([await _attempt(connector, sms, mask, show) for sms in made])
    except (OSError, ValueError) as error:
        show("outcome", [mask(f"the connector cannot start: {error}")])
        return False


async def _attempt(connector: Connector, sms: Sms, mask: Mask, show: Show) -> bool:
    began_at = trio.current_time()
    attempted = await connector.sender.attempt(sms)
    took_ms = round((trio.current_time() - began_at) * 1000)
    part = f"part {sms.part + 1} of {sms.parts}: " if sms.parts > 1 else ""
    show("outcome", [f"{part}{mask(_meaning(attempted, connector, sms))} ({took_ms} ms)"])
    return isinstance(attempted, Taken)


async def _ask_balance(name: str, kind: str, config: Any, show: Show) -> float | None:
    connector = _connector(name, kind, config, Mask(secrets_of(config)), show)
    sender = connector.sender
    if not isinstance(sender, HttpSender):
        return None
    async with sender.opened():
        answer = await sender.ask(sender.service.balance)
    return sender.service.balance_left(answer) if isinstance(answer, Response) else None


def _connector(name: str, kind: str, config: Any, mask: Mask, show: Show) -> Connector:
    log = structlog.wrap_logger(None, processors=[_drop])
    connector = kinds.build(kind)(OutletName(name), config, log)
    if isinstance(connector.sender, HttpSender):

        def tell(step: Step) -> None:
            show("request" if isinstance(step, Request) else "answer", mask.lines(step))

        connector.sender.tell = tell
    return connector


def _drop(_logger: object, _name: str, _event: object) -> Any:
    raise structlog.DropEvent


def _meaning(attempted: Attempted, connector: Connector, sms: Sms) -> str:
    """An attempt in words, with what the gateway would do next."""
    in_doubt = (
        "the gateway would hold it for people to decide"
        if connector.config.ambiguous == "hold"
        else "the gateway would send it again"
    )
    match attempted:
        case Taken(upstream_id):
            return f"taken, the service calls it {upstream_id!r}" if upstream_id else "taken"
        case Declined(class_, code, why):
            if class_ == "sender":
                class_ = "configuration" if sms.is_sender_ours else "permanent"
            follows = {
                "retryable": "another outlet, or a later attempt, would follow",
                "throttled": "the gateway would slow down and try again",
                "permanent": "the message would end as REJECTED",
                "configuration": "the connector would stop and raise an alarm",
            }[class_]
            return f"declined, {class_}, code {code}: {why}; {follows}"
        case NotSent(why, is_hopeless):
            follows = (
                "the message would end as REJECTED"
                if is_hopeless
                else "another attempt would follow"
            )
            return f"not sent: {why}; {follows}"
        case NoAnswer(why) | Unclear(why):
            return f"in doubt: {why}; {in_doubt}"
        case _:
            assert_never(attempted)


def _outgoing(asked: Asked) -> Outgoing | Invalid:
    content: Content | Invalid = text_content(asked.text)
    if isinstance(content, Content) and asked.is_flash:
        coding = _FLASH_UCS2 if content.data_coding else _FLASH_GSM7
        content = hex_content(content.data.hex(), coding, udh=False)
    if isinstance(content, Invalid):
        return content
    body = to_body(asked.sender, asked.to, content)
    if isinstance(body, Invalid):
        return body
    now_ms = int(time.time() * 1000)
    message = Message(
        id=MessageId(now_ms << 22),
        account=AccountId("trial"),
        source="trial",
        accepted_ms=now_ms,
        due_ms=0,
        expires_ms=now_ms + _VALID_MS,
        priority=0,
        registered_delivery=0,
        callback_url=None,
        batch=None,
        reference=None,
        tags=(),
        body=body,
    )
    return Outgoing(message, Progress(State.QUEUED, OutletName("")))
