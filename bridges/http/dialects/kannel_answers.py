"""What Kannel answers: its sentences, which clients compare as a whole, and their statuses.

*In*: admissions; names of fields that cannot be used. *Out*: `Answer`, `Reply`.
*Never*: I/O; a word of our own: our ids and the numbers that were not taken stand in headers.

gw/smsbox.c.
"""

import html
from collections.abc import Sequence

import attrs

from bridges.http.dialects.base import RETRY_AFTER_S, Reply, http_status
from bridges.http.dialects.kannel_coding import BODY, Misformed
from bridges.http.dialects.kannel_escapes import quoted
from bridges.http.dialects.uuids import uuid_of
from pdu.status import Status, Vendor
from smsc.message import Draft
from smsc.ports import Admission, Admitted, Refused

MAX_IN_HEADER = 100
"""How many ids or numbers a header of an answer names."""


@attrs.define(slots=True)
class Answer:
    """What Kannel says: an HTTP status and a sentence."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


@attrs.define(slots=True)
class Send:
    """One message to those who can have it; `denied` are the numbers that cannot."""

    drafts: list[Draft]
    receivers: list[str]
    denied: list[str]
    parts: int


MISSING = Answer(400, "Missing receiver number, rejected")
EMPTY = Answer(400, "Empty receiver number not allowed, rejected")
DENIED = Answer(400, "Number(s) has/have been denied by white- and/or black-lists.")
NO_SENDER = Answer(400, "Sender missing and no global set, rejected")
BAD_ACCOUNT = Answer(400, "Account field misformed or too long, rejected")
FORBIDDEN = Answer(403, "Authorization failed for sendsms")
NOT_ROUTABLE = Answer(403, "Not routable. Do not try again.")
UNSUPPORTED = Answer(415, "Unsupported content-type, rejected")
UNKNOWN = Answer(404, "Unknown request.")
LATER = Answer(503, "Temporal failure, try again later.")
FAILED = Answer(500, "Sending failed.")
ACCEPTED = "0: Accepted for delivery"
QUEUED = "3: Queued for later delivery"


def misformed_answer(misformed: Misformed) -> Answer:
    """Kannel's sentence for a field that cannot be used."""
    verb = "misformed" if misformed == BODY else "field misformed"
    return Answer(400, f"{misformed.field} {verb}, rejected")


def sent_answer(
    send: Send, admissions: Sequence[Admission], *, is_up: bool, is_immediate: bool
) -> Answer:
    """What `admissions` of `send.drafts` make: all that were not taken are denied receivers.

    `is_up`: is there a way out now? `is_immediate`: answer as with immediate-sendsms-reply.
    """
    ids = [one.id for one in admissions if isinstance(one, Admitted)]
    refusals = [one for one in admissions if isinstance(one, Refused)]
    if not ids:
        return _refusal(refusals)
    taken = zip(send.receivers, admissions, strict=True)
    denied = send.denied + [to for to, one in taken if isinstance(one, Refused)]
    headers: tuple[tuple[str, str], ...] = (
        ("X-Message-Id", ",".join(map(str, ids[:MAX_IN_HEADER]))),
        ("X-Kannel-Id", ",".join(map(uuid_of, ids[:MAX_IN_HEADER]))),
    )
    if denied:
        named = ",".join(map(quoted, denied[:MAX_IN_HEADER]))
        headers += (("X-Denied-Receivers", named),)
    if not is_immediate:
        return Answer(202, ACCEPTED if is_up else QUEUED, headers)
    text = "Sent."
    if denied:
        text += f" Denied receivers are: {html.escape(' '.join(denied))}"
    if send.parts > 1:
        text += f" Message splits: {send.parts}"
    return Answer(202, text, headers)


def to_reply(answer: Answer) -> Reply:
    """An answer as Kannel labels it: text/html, whatever it says."""
    wait_s = RETRY_AFTER_S.get(answer.status)
    wait = (("Retry-After", str(wait_s)),) if wait_s else ()
    return Reply(answer.status, answer.text.encode(), "text/html", answer.headers + wait)


def refused_login(refused: Refused) -> Answer:
    """Why somebody may not: no authorization, unless nobody can tell for now."""
    return LATER if http_status(refused.status) == 503 else FORBIDDEN


def failure(status: int) -> Answer:
    """What no check of Kannel's is about: a request too long, or a gateway that failed."""
    return attrs.evolve(FAILED, status=status)


def _refusal(refusals: Sequence[Refused]) -> Answer:
    statuses = {one.status for one in refusals}
    if Vendor.SMSC_ACCOUNT_CLOSED in statuses:
        return FORBIDDEN
    if Status.ESME_RSYSERR in statuses or any(http_status(one) in {429, 503} for one in statuses):
        return LATER
    return NOT_ROUTABLE
