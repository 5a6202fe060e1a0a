"""The operations of playSMS web services for everybody: send, look, and the caller's own token.

*In*: `Ask`. *Out*: an answer or a `Fault`. *Never*: the shape of a row; see `dialects/playsms/`.
"""

from collections.abc import Callable, Sequence

import trio

from bridges.http.dialects.playsms import lists, send
from bridges.http.dialects.playsms.codes import Fault
from bridges.http.dialects.playsms.formats import Answer, ok
from bridges.http.dialects.playsms.lists import Filter
from bridges.http.dialects.senders import readable_sender
from bridges.http.playsms_ask import Ask
from smsc.message import AccountId, MessageId
from smsc.ports import InboxKind, InboxQuery, MessageQuery, MessageReport, Received, Refused

_PAGES = 20
"""Pages of a list that one request looks through."""
_SIEVED = 500
"""Rows of a page at least, where the date sorts some out that storage cannot."""
_KEYWORD_CHARACTERS = 2
"""A phonebook is not looked through for less."""
_INCOMING = frozenset({InboxKind.KEYWORD})
_INBOX = frozenset({InboxKind.INBOX})


async def pv(ask: Ask) -> Answer | Fault:
    """Send: numbers and groups through the one door in, users into their inboxes."""
    gateway = ask.call.gateway
    wish = readable_sender(ask.asked.get("from"), ask.reading.numbers)
    may_use = wish and ask.caller.may_send_as(wish.removeprefix("+"))
    sender = wish if may_use else ask.call.sender(ask.name)
    asked = send.parse_send(
        ask.asked,
        ask.profile,
        sender,
        lambda code: gateway.contacts.members(ask.name, code),
        ask.reading,
        ask.call.now_ms,
        gateway.number_reader(ask.name),
    )
    if isinstance(asked, Fault):
        return asked
    drafts = asked.wanted()
    admissions = await gateway.submit.submit_many(drafts) if drafts else []
    written = [await _write(ask, user, asked) for user in asked.users]
    return send.sent_rows(asked, admissions, written)


async def _write(ask: Ask, user: str, wish: send.Wish) -> bool:
    if not wish.is_now:
        return False  # an inbox has no schedule
    gateway = ask.call.gateway
    profile = gateway.directory.profile(AccountId(user))
    if profile is None:
        return False
    source = f"@{ask.name}"
    written = await gateway.inbox.write(profile.account, source, wish.text, ask.name)
    return not isinstance(written, Refused)


# --- lists --------------------------------------------------------------------------------------


async def ds(ask: Ask) -> Answer | Fault:
    """Messages that were sent, and how far they are."""
    wanted = _filter(ask)
    if wanted is None:
        return ask.failed("c and last must be numbers")
    zone = ask.zone

    def is_wanted(report: MessageReport) -> bool:
        is_own = report.message.account == ask.name  # an admin is shown all
        return is_own and lists.fits(wanted, lists.outgoing_row(report, zone))

    found = await _sent(ask, wanted, is_wanted)
    rows = [lists.outgoing_row(one, zone) for one in found]
    return {"data": rows} if rows else await _no_status(ask)


async def _sent(
    ask: Ask, wanted: Filter, is_wanted: Callable[[MessageReport], bool]
) -> list[MessageReport]:
    """Messages that are wanted, newest first."""
    lookup, smslog_id = ask.call.gateway.lookup, ask.asked.get("smslog_id")
    if queue := ask.asked.get("queue"):
        batch = send.batch_of(queue)
        reports = [] if batch is None else await lookup.batch(ask.name, batch)
        found = [one for one in reversed(reports) if smslog_id in {"", str(one.message.id)}]
        return list(filter(is_wanted, found))[: wanted.count]
    if smslog_id:
        id_ = lists.parse_id(smslog_id)
        one = None if id_ is None else await lookup.report(ask.name, id_)
        return [one] if one is not None and is_wanted(one) else []
    found, below = [], None
    for _ in range(_PAGES):
        page = await lookup.reports(
            MessageQuery(
                account=ask.name,
                source=wanted.source,
                destination=wanted.destination,
                above=wanted.above,
                below=below,
                limit=_page_rows(wanted),
            )
        )
        found += filter(is_wanted, page.reports)
        below = page.below
        if below is None or len(found) >= wanted.count:
            break
    return found[: wanted.count]


async def _no_status(ask: Ask) -> Fault:
    batch = send.batch_of(ask.asked.get("queue"))
    reports: Sequence[MessageReport] = ()
    if batch is not None:
        reports = await ask.call.gateway.lookup.batch(ask.name, batch)
    own = [one for one in reports if one.message.account == ask.name]
    if not own:
        return ask.failed()
    return Fault(401 if lists.is_waiting(own) else 402)


async def incoming(ask: Ask) -> Answer | Fault:
    """Messages that came in by a keyword."""
    return await _received(ask, lists.incoming_row, _INCOMING)


async def inbox(ask: Ask) -> Answer | Fault:
    """Messages that came in by their number, or from another account."""
    return await _received(ask, lists.received_row, _INBOX)


async def sandbox(ask: Ask) -> Answer | Fault:
    """Messages that nothing took; for admins."""
    if not ask.caller.admin:
        return ask.failed("the sandbox is for admins")
    return await _received(ask, lists.received_row, None)


async def _received(
    ask: Ask, row_of: lists.ReceivedRow, kinds: frozenset[InboxKind] | None
) -> Answer | Fault:
    wanted = _filter(ask)
    if wanted is None:
        return ask.failed("c and last must be numbers")
    zone, below = ask.zone, None
    keyword = ask.asked.get("kwd") if kinds == _INCOMING else ""
    rows: list[dict[str, str]] = []
    for _ in range(_PAGES):
        page = _page(ask, wanted, kinds, keyword, below)
        found = (row_of(one, zone) for one in page)
        rows += [row for row in found if wanted.date in row["dt"]]
        if not page or len(rows) >= wanted.count:
            break
        below = page[-1].id
        await trio.lowlevel.checkpoint()  # a page may be ten thousand records that do not fit
    return {"data": rows[: wanted.count]} if rows else ask.failed()


def _page(
    ask: Ask,
    wanted: Filter,
    kinds: frozenset[InboxKind] | None,
    keyword: str = "",
    below: MessageId | None = None,
) -> Sequence[Received]:
    """Received messages, newest first; None for `kinds` asks for the sandbox."""
    shelf = ask.call.gateway.inbox
    query = InboxQuery(
        kinds=kinds or frozenset(),
        source=wanted.source,
        destination=wanted.destination,
        keyword=keyword,
        above=wanted.above,
        below=below,
        limit=_page_rows(wanted),
    )
    return shelf.sandbox(query) if kinds is None else shelf.received(ask.name, query)


def _page_rows(wanted: Filter) -> int:
    return max(wanted.count, _SIEVED) if wanted.date else wanted.count


def _filter(ask: Ask) -> Filter | None:
    return lists.parse_filter(ask.asked, ask.config.max_rows)


# --- the phonebook ------------------------------------------------------------------------------


async def get_contact(ask: Ask) -> Answer | Fault:
    """Contacts by name, number or e-mail."""
    wanted, keyword = _filter(ask), ask.asked.get("kwd")
    if wanted is None or len(keyword) < _KEYWORD_CHARACTERS:
        return ask.failed("kwd needs two characters at least, c must be a number")
    book = ask.call.gateway.contacts
    found = book.contacts(ask.name, keyword, wanted.count)
    groups = {one.code: one for one in book.groups(ask.name, limit=ask.config.max_rows)}
    rows = [lists.contact_row(one, groups) for one in found]
    return ok(data=rows, multi=True) if rows else ask.failed()


async def get_contact_group(ask: Ask) -> Answer | Fault:
    """Groups by name or code."""
    wanted, keyword = _filter(ask), ask.asked.get("kwd")
    if wanted is None or len(keyword) < _KEYWORD_CHARACTERS:
        return ask.failed("kwd needs two characters at least, c must be a number")
    found = ask.call.gateway.contacts.groups(ask.name, keyword, wanted.count)
    rows = [lists.group_row(one) for one in found]
    return ok(data=rows, multi=True) if rows else ask.failed()


# --- the account --------------------------------------------------------------------------------


async def cr(ask: Ask) -> Answer | Fault:
    """What is left."""
    return ok(credit=ask.balance(ask.name))


async def get_token(ask: Ask) -> Answer | Fault:
    """The token of whoever knows the password."""
    token = ask.call.gateway.directory.token(ask.name)
    return ok(token=token) if token else ask.failed("it has no token: make one, and ask again")


async def set_token(ask: Ask) -> Answer | Fault:
    """A new token; the old one ends."""
    token = await ask.call.gateway.directory.new_token(ask.name, ask.name)
    return ask.failed(token) if isinstance(token, Refused) else ok(token=token)


async def query(ask: Ask) -> Answer | Fault:
    """Who the caller is, and the newest ids of its lists."""
    profile, one = ask.profile, Filter(1, None, "", "", "")
    newest = [
        next((str(row.id) for row in _page(ask, one, kinds)), "0") for kinds in (_INBOX, _INCOMING)
    ]
    sent = await _newest(ask)
    user = {
        "username": ask.name,
        "uid": str(profile.uid),
        "status": str(int(profile.status)),
        "name": profile.name,
        "email": profile.email,
        "mobile": profile.mobile,
        "credit": ask.balance(ask.name),
    }
    last = {"user_inbox": newest[0], "user_incoming": newest[1], "user_outgoing": sent}
    return ok(data={"user": user, "last_id": last})


async def _newest(ask: Ask) -> str:
    page = await ask.call.gateway.lookup.reports(MessageQuery(account=ask.name, limit=1))
    return str(page.reports[0].message.id) if page.reports else "0"
