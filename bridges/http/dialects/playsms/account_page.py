"""The page that a login key opens: one account as it is now, to be looked at only.

*In*: `Glance`; a Cookie header. *Out*: HTML, and the cookie that shows it.
*Never*: a form, a script, anything from elsewhere; text that is not escaped.

playSMS redirects to its web interface there. We have none, so this page says what a program of
web services may want a person to see: who it is, what is left, and the newest messages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

import attrs

from bridges.http.dialects.base import Reply

COOKIE: Final = "playsms_login"
LOGIN_S: Final = 600
"""How long a login lasts."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:2rem 1.5rem;max-width:64rem}"
    "table{border-collapse:collapse;width:100%;margin:.4rem 0 1.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;"
    "border-bottom:1px solid #8885;overflow-wrap:anywhere}"
)
_STATES: Final = {"0": "waits", "1": "sent", "2": "failed", "3": "delivered"}


@attrs.frozen(kw_only=True)
class Glance:
    """An account as the page shows it; the rows are those of ds and ix."""

    account: str
    name: str
    zone: str
    credit: Mapping[str, str] | None
    """What is left, by class; None = it may spend without limit."""
    sent: Sequence[Mapping[str, str]]
    received: Sequence[Mapping[str, str]]
    inbox: int
    """How many messages lie in the inbox."""


def page(glance: Glance) -> Reply:
    """The page of somebody who is logged in."""
    who = f" ({escape(glance.name)})" if glance.name else ""
    sent = ((one["dt"], one["dst"], one["msg"], _STATES[one["status"]]) for one in glance.sent)
    received = ((one["dt"], one["src"], one["dst"], one["msg"]) for one in glance.received)
    return _html(
        200,
        f"Account {escape(glance.account)}{who}",
        f"<p>Times are of the zone {escape(glance.zone)}. This page changes nothing, and ends "
        f"{LOGIN_S // 60} minutes after the login.</p>",
        "<h2>Credit</h2>",
        "<p>Without limit.</p>"
        if glance.credit is None
        else _table(("class", "left"), sorted(glance.credit.items())),
        "<h2>Newest messages sent</h2>",
        _table(("accepted", "to", "text", "state"), sent),
        f"<h2>Inbox: {glance.inbox}</h2>",
        _table(("received", "from", "to", "text"), received),
    )


def stranger(location: str) -> Reply:
    """The page of nobody; a browser that comes from another site brings its cookie only here."""
    return _html(
        403,
        "Nobody is logged in",
        "<p>The login key was wrong or used already, or the login has ended: ask an admin for "
        "another key.</p>",
        f'<p>If you followed a login link just now, <a href="{escape(location)}">open the page'
        "</a>.</p>",
    )


def redirect(location: str, cookie: str = "") -> Reply:
    """On to the page, or wherever the configuration says, whatever came of the key."""
    headers = [("Location", location), ("Cache-Control", "no-store")]
    headers.append(("Referrer-Policy", "no-referrer"))  # the address has the key
    if cookie:
        headers.append(("Set-Cookie", cookie))
    return Reply(302, b"", "text/html", tuple(headers))


def cookie_of(token: str, path: str, *, is_tls: bool) -> str:
    """The cookie of a login; scripts do not see it, and other sites cannot send it."""
    secure = "; Secure" if is_tls else ""
    return f"{COOKIE}={token}; Path={path}; Max-Age={LOGIN_S}; HttpOnly; SameSite=Strict{secure}"


def token_of(header: str) -> str:
    """The login that a Cookie header brings; "" without one."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and _TOKEN.fullmatch(value):
            return value
    return ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    return f"<table><tr>{_cells('th', head)}</tr>{body}</table>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _html(status: int, title: str, *inside: str) -> Reply:
    """`title` and `inside` are HTML already."""
    head = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
    )
    whole = f"{head}{''.join(inside)}</body></html>"
    return Reply(status, whole.encode("utf-8", "replace"), "text/html", _HEADERS)
