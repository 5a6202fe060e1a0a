"""Logging: one line for each event, on standard error, set up once.

*In*: `[log]` of the configuration. *Out*: a structlog logger.
*Never*: message texts, passwords or query strings; an event name that is not listed here.

Event names are dotted and past tense: the thing, then what happened to it.
"""

import logging
import sys
from typing import Any, Final

import orjson
import structlog

EVENTS: Final[dict[str, str]] = {
    "gateway.started": "every part is up; listens on these addresses",
    "queues.restored": "what an earlier run left is queued again; outlets start now",
    "gateway.stopping": "a signal came; what is in flight is waited for",
    "gateway.stopped": "everything accepted is on disk",
    "clock.stepped": "the wall clock was set; we follow slowly, and a restart takes it as it is",
    "store.opened": "the store is open, with so many records",
    "store.map_grown": "the database map was nearly full and is larger now",
    "store.reader_stale": "another process reads an old snapshot; the file grows until it ends",
    "store.record_corrupt": "a record whose check sum does not fit was set aside",
    "history.forgotten": "finished messages whose time to be asked for is over were deleted",
    "store.closed": "everything that was handed in is on disk",
    "store.failed": "the disk is in doubt: nothing more is accepted, the process ends",
    "session.bound": "an ESME bound",
    "session.closed": "the connection of an ESME is over",
    "session.crashed": "a bug ended one session; the others go on",
    "account.added": "an account was made at run time",
    "account.changed": "a profile, a password or settings were changed at run time",
    "account.removed": "an account that was made at run time is gone",
    "account.banned": "an account may not speak until it is opened again",
    "account.unbanned": "an account may speak again",
    "account.token_made": "an account has a new token; the old one is worth nothing now",
    "account.login_key_made": "somebody may log in once as an account without its password",
    "account.unusable": "settings of an account made at run time do not fit this version",
    "account.enrolled": "a directory server knows it: it is an account from now on",
    "ldap.unavailable": "the directory server cannot be asked; passwords that were right pass on",
    "ldap.available": "the directory server answers again",
    "bind.refused": "an ESME may not bind",
    "pdu.refused": "a PDU was answered with an error status by the session itself",
    "accept.failed": "the operating system gives no more connections",
    "connection.refused": "too many connections",
    "proxy.refused": "a trusted proxy's connection did not begin with PROXY version 2",
    "tls.failed": "a client and we found no way to talk TLS",
    "tls.reloaded": "new handshakes use the new certificate files",
    "tls.not_reloaded": "the new certificate files cannot be used; the old ones go on",
    "outbind.dialled": "deliveries wait for an account that is not bound; we called it",
    "outbind.failed": "the account could not be reached, or did not bind",
    "link.bound": "an upstream link is bound",
    "link.bind_failed": "the carrier refused our bind",
    "link.unreachable": "the carrier's address does not answer",
    "link.down": "an upstream connection is over",
    "link.controlled": "people started, stopped or drained an upstream link",
    "link.ids_differ": "receipts of a carrier name messages otherwise than `quirks.ids` says",
    "link.ids_learned": "receipts of a carrier name messages otherwise than its responses do",
    "link.no_response": "the carrier did not answer submit_sm in time; they are sent again, or held",
    "connector.controlled": "people started, stopped or drained a connector",
    "connector.attempt_failed": "a service did not take a message; what follows is up to its code",
    "connector.out": "a service is gone: its connector is out for a while, others take over",
    "connector.back": "the service answers again",
    "connector.stopped": "credentials, credit or URL of a connector are wrong: people must act",
    "connector.broke": "a bug met one message or poll in a connector; the others go on",
    "connector.poll_failed": "a service would not say what became of a message; asked again later",
    "connector.balance_low": "the balance at a service fell below balance_low",
    "connector.callback_refused": "a call to receipts_path that is not to be believed or understood",
    "connector.callback_broke": "a bug met a call to receipts_path; the others go on",
    "connector.file_loaded": "the file of a custom connector changed and is in use",
    "connector.file_failed": "the changed file of a custom connector is broken; the old one goes on",
    "message.not_rewritten": "a rule asked for a change that this message does not allow",
    "guard.exceeded": "more messages than a guard allows, for the first time in its window",
    "message.unrouted": "a stored message has no route under today's rules; it waits",
    "message.held": "nobody knows whether the carrier took messages; people must decide",
    "message.released": "held messages are sent again, or ended",
    "message.set_aside": "no attempt can end well; the message is final, and a dead letter",
    "receipt.unmatched": "a receipt for an upstream id that we do not know",
    "mo.unrouted": "a message from the network that no mo_route takes; refused",
    "delivery.dropped": "a receiver refused a delivery for good",
    "delivery.expired": "nobody came for a delivery in time",
    "delivery.set_aside": "a delivery was tried long enough; it waits until people ask it back",
    "forward.not_possible": "an account wants copies that cannot be made; told once for each reason",
    "mail.down": "the mail server cannot be worked with; what is for it waits on disk",
    "mail.up": "the mail server takes mails again",
    "mail.sent": "the mail server took a copy of a message",
    "mail.deferred": "the mail server does not take a copy now; it is tried again",
    "mail.broke": "a bug met one mail; it is set aside",
    "outlet.choked": "a bug met one message in an outlet; the others go on",
    "outlet.crashed": "a bug ended an outlet; it is started again",
    "config.reloaded": "the configuration file was read again and is in force",
    "config.not_reloaded": "the configuration file cannot be taken over; nothing changed",
    "config.crashed": "a bug ended a reload, perhaps in its midst; restart the gateway",
    "outlet.leaving": "an outlet was replaced or removed; it is given nothing more",
    "outlet.left": "an outlet that was replaced or removed has ended",
    "messages.rerouted": "messages that waited have another way by today's rules",
    "control.asked": "somebody on this machine asked through the control door",
    "control.closed": "there is no control door; `smsc outlets` and its like find no gateway",
    "control.crashed": "a bug ended one conversation at the control door; nothing else",
    "sms_connector.reports_off": "the SMS Connector dialect has no message broker to report to",
    "http.started": "the HTTP server listens",
    "http.stopped": "the HTTP server listens no more, and answers nobody",
    "http.request.failed": "a bug met one request; its client got a 500, the others go on",
    "http.connection.failed": "an HTTP connection ended with an error",
    "http.connections.exhausted": "there are as many HTTP connections as there may be",
    "webhook.delivered": "a callback took a delivery",
    "webhook.deferred": "a callback did not take a delivery; it is tried again",
    "webhook.dropped": "a callback refused a delivery for good",
    "webhook.set_aside": "a callback was tried long enough, or may not be tried",
    "webhook.attempt.broke": "a bug met one delivery; the others go on",
    "jms.connected": "the message broker takes messages",
    "jms.down": "the message broker is gone; what is for its queues waits on disk",
    "jms.published": "the message broker has stored deliveries",
    "jms.refused": "the message broker refused a delivery",
    "jms.message_broke": "a bug met one delivery on its way to a queue; it is set aside",
    "webhook.slowed": "a callback host is in trouble; it gets less, after a pause",
    "webhook.crowded": "more callback hosts than are attended to at a time; others wait on disk",
    "webhook.recovered": "a callback host takes deliveries again",
}


_TRACEBACKS: Final = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Local variables hold passwords and texts; a traceback without them still tells the line."""


def set_up(level: str, style: str) -> Any:
    """Configure structlog and return the logger.

    :param level: "debug", "info", "warning" or "error".
    :param style: "json" for machines, "console" for people.
    """
    set_level(level)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if style == "json":
        structlog.configure(
            processors=[
                *shared,
                structlog.processors.ExceptionRenderer(_TRACEBACKS),
                structlog.processors.JSONRenderer(serializer=orjson.dumps),
            ],
            wrapper_class=_Logger,
            logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
            cache_logger_on_first_use=True,
        )
    else:
        structlog.configure(
            processors=[
                *shared,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
                ),
            ],
            wrapper_class=_Logger,
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )
    return structlog.get_logger("smsc")


class _Logger(structlog.BoundLoggerBase):
    """A logger whose level can change: see `set_level`."""


def set_level(level: str) -> None:
    """Log events of this level and above from now on, by loggers that are in use, too.

    Methods below the level do nothing, as structlog makes them: that is what makes them cheap.
    """
    methods = vars(structlog.make_filtering_bound_logger(_number(level)))
    for name, method in methods.items():
        if not name.startswith("__"):
            setattr(_Logger, name, method)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
