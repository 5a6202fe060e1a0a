"""The operations of playSMS web services for admins: accounts, their credit, injected messages.

*In*: `Ask` of an admin. *Out*: an answer or a `Fault`. *Never*: what a parameter may be; see
`dialects/playsms/accounts.py` and the directory.
"""

from collections.abc import Mapping
from decimal import Decimal

from bridges.http.dialects.base import Invalid, text_content, to_body
from bridges.http.dialects.playsms import accounts
from bridges.http.dialects.playsms.codes import Fault
from bridges.http.dialects.playsms.formats import Answer, ok
from bridges.http.dialects.senders import readable_sender
from bridges.http.playsms_ask import Ask
from smsc.message import AccountId
from smsc.ports import Refused


async def inject(ask: Ask) -> Answer | Fault:
    """Take a message as if the network `smsc` had brought it."""
    source, text = ask.asked.get("from"), ask.asked.get("msg").replace("\r\n", "\n")
    to = ask.asked.get("recvnum")
    if not to:
        return ask.failed("recvnum is empty")
    content = text_content(text, "msg")
    if isinstance(content, Invalid):
        return ask.failed(content.why)
    body = to_body(source, to, content)  # are these addresses?
    if isinstance(body, Invalid):
        return ask.failed(body.why)
    outlet = ask.asked.get("smsc") or ask.config.outlet
    refused = await ask.call.gateway.inject_mo(outlet, source, to, text)
    return ok() if refused is None else ask.failed(refused)


async def accountadd(ask: Ask) -> Answer | Fault:
    """Create an account, with a token that its password can fetch."""
    new = accounts.new_account(ask.asked, ask.config)
    if new is None:
        return ask.failed("data_status must be 2, 3 or 4")
    directory = ask.call.gateway.directory
    added = await directory.add(new, ask.name)
    if isinstance(added, Refused):
        return ask.failed(added)
    token = await directory.new_token(new.account, ask.name)
    if isinstance(token, Refused):
        return ask.failed(token)
    return ok(info=f"New account has been added (username: {new.account}, uid: {added.uid})")


async def accountremove(ask: Ask) -> Answer | Fault:
    """Delete an account."""
    if ask.target == ask.name:
        return ask.failed("an account cannot remove itself")
    refused = await ask.call.gateway.directory.remove(ask.target, ask.name)
    info = f"Account has been removed (username: {ask.target})"
    return ok(info=info) if refused is None else ask.failed(refused)


async def accountban(ask: Ask) -> Answer | Fault:
    """Close an account."""
    if ask.target == ask.name:
        return ask.failed("an account cannot ban itself")
    refused = await ask.call.gateway.directory.ban(ask.target, ask.name, banned=True)
    return ok() if refused is None else ask.failed(refused)


async def accountunban(ask: Ask) -> Answer | Fault:
    """Open it again."""
    refused = await ask.call.gateway.directory.ban(ask.target, ask.name, banned=False)
    return ok() if refused is None else ask.failed(refused)


async def parentset(ask: Ask) -> Answer | Fault:
    """Give a subuser to another account."""
    parent = AccountId(ask.asked.get("data_parent"))
    if ask.call.gateway.directory.profile(parent) is None:
        return ask.missing("there is no account data_parent")
    changed = await ask.call.gateway.directory.change(ask.target, {"parent": parent}, ask.name)
    return ask.failed(changed) if isinstance(changed, Refused) else ok()


async def parentget(ask: Ask) -> Answer | Fault:
    """Whose subuser it is."""
    directory = ask.call.gateway.directory
    profile = directory.profile(ask.target)
    parent = directory.profile(profile.parent) if profile and profile.parent else None
    if parent is None:
        return ask.failed("it is no subuser")
    return ok(parent_uid=str(parent.uid), parent=parent.account)


async def accountpref(ask: Ask) -> Answer | Fault:
    """Change who the account belongs to, or its password."""
    return await _change(ask, accounts.preferences(ask.asked), "preferences")


async def accountconf(ask: Ask) -> Answer | Fault:
    """Change how the account works."""
    changes = accounts.configuration(ask.asked)
    if changes is None:
        return ask.failed("a value cannot be used")
    sender = changes.get("sender")
    if isinstance(sender, str) and not _may_send_as(ask, sender):
        return ask.failed(f"data_sender: it is none of the senders of account {ask.target}")
    return await _change(ask, changes, "configuration")


def _may_send_as(ask: Ask, sender: str) -> bool:
    wish = readable_sender(sender, ask.reading.numbers).removeprefix("+")
    return bool(wish) and ask.call.gateway.directory.may_send_as(ask.target, wish)


async def _change(ask: Ask, changes: Mapping[str, object], what: str) -> Answer | Fault:
    if not changes:
        return ask.missing("there is nothing to change")
    changed = await ask.call.gateway.directory.change(ask.target, changes, ask.name)
    if isinstance(changed, Refused):
        return ask.failed(changed)
    return ok(info=f"Account {what} has been edited (username: {ask.target})")


async def creditview(ask: Ask) -> Answer | Fault:
    """What an account may still spend."""
    return ok(balance=ask.balance(ask.target))


async def creditadd(ask: Ask) -> Answer | Fault:
    """Add credit."""
    return await _move(ask, 1)


async def creditdeduct(ask: Ask) -> Answer | Fault:
    """Take credit; never below 0."""
    return await _move(ask, -1)


async def _move(ask: Ask, sign: int) -> Answer | Fault:
    amount = accounts.amount(ask.asked.get("data_amount"))
    if amount is None:
        return ask.failed("data_amount must be a number above 0, with at most 9 decimal places")
    why = f"playSMS {ask.asked.lower('op')}"
    moved: Decimal | Refused = await ask.call.gateway.credits.move(
        ask.target, ask.config.credit_class, sign * amount, ask.name, why
    )
    if isinstance(moved, Refused):
        return ask.failed(moved)
    return ok(amount=accounts.plain(amount), balance=ask.balance(ask.target))


async def loginkeyset(ask: Ask) -> Answer | Fault:
    """A key that opens one ws_login."""
    key = await ask.call.gateway.directory.new_login_key(ask.target, ask.name)
    return ask.failed(key) if isinstance(key, Refused) else ok(login_key=key)
