"""The route of the NetOxygen dialect: one path, eight methods.

*In*: `Call`. *Out*: `Reply`. *Never*: positions of parameters; see `dialects/netoxygen.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs
from starlette.routing import BaseRoute

from bridges.http.dialects import netoxygen, netoxygen_codes, xmlrpc
from bridges.http.dialects.base import Reply
from bridges.http.dialects.netoxygen import Asked, Reading
from bridges.http.dialects.senders import readable_sender
from bridges.http.dialects.xmlrpc import Fault, Value
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import LOOK, ExactRoute
from bridges.http.gateway import Account
from smsc.message import AccountId, State
from smsc.ports import Refused

_FALSE: Final = frozenset({"auth", "get_credits", "get_guid"})
"""Methods that answer a wrong password with a boolean."""


def routes(house: House, config: netoxygen.NetoxygenConfig) -> list[BaseRoute]:
    """The path with and without its slash; what is no POST is told so."""
    door = _Door(Reading.of(config))
    answer = endpoint(house, door.answer, wording, Auth.OWN, config.body_octets)
    refuse = endpoint(house, _not_post, wording, Auth.OWN, config.body_octets)
    paths = dict.fromkeys((config.path, config.path.rstrip("/") or "/"))
    found: list[BaseRoute] = [ExactRoute(path, answer, methods=["POST"]) for path in paths]
    return found + [ExactRoute(path, refuse, methods=LOOK) for path in paths]


def wording(failure: Failure) -> Reply:
    """A request that no method saw, as a fault."""
    code = xmlrpc.NOT_A_CALL if failure.status in {408, 413} else xmlrpc.INTERNAL
    return xmlrpc.fault(Fault(code, failure.why))


async def _not_post(_call: Call) -> Reply:
    why = "XML-RPC server accepts POST requests only."
    return Reply(405, why.encode(), "text/plain", (("Allow", "POST"),))


@attrs.frozen
class _Door:
    """The methods, with what they read numbers and dates by."""

    reading: Reading

    async def answer(self, call: Call) -> Reply:
        """Frame, password, and then what the method asks."""
        parsed = xmlrpc.parse_call(call.body)
        if isinstance(parsed, Fault):
            return xmlrpc.fault(parsed)
        asked = netoxygen.parse_asked(parsed, self.reading.config)
        if isinstance(asked, Fault):
            return xmlrpc.fault(asked)
        account = await call.authenticate(asked.user, asked.password)
        if isinstance(account, Refused):
            if asked.method in _FALSE and not netoxygen_codes.is_passing(account):
                return xmlrpc.answer(value=False)
            return xmlrpc.fault(netoxygen.login_fault(account))
        method = _METHODS[asked.method]
        return xmlrpc.answer(await method(self, call, asked, account))

    async def send_message(self, call: Call, asked: Asked, account: Account) -> Value:
        """One message for each recipient; a row for each, after fsync."""
        name = AccountId(account.name)
        wish = readable_sender(netoxygen.sender_wish(asked), self.reading.numbers)
        sender = netoxygen.choose_sender(
            wish if account.may_send_as(wish.removeprefix("+")) else "",
            call.sender(name),
            self.reading.config,
        )
        order = netoxygen.parse_order(asked, name, sender, self.reading, call.now_ms)
        drafts = order.drafts()
        return order.rows(await call.gateway.submit.submit_many(drafts) if drafts else [])

    async def auth(self, _call: Call, _asked: Asked, _account: Account) -> Value:
        """The password was right."""
        return True

    async def get_credits(self, call: Call, _asked: Asked, account: Account) -> Value:
        """What is left."""
        balances = call.gateway.credits.balances(AccountId(account.name))
        return netoxygen.credits_left(balances, self.reading.config)

    async def account_status(self, _call: Call, _asked: Asked, account: Account) -> Value:
        """`regular` or `free`."""
        return netoxygen.account_status(account.name, self.reading.config)

    async def get_guid(self, call: Call, _asked: Asked, account: Account) -> Value:
        """The group of the account."""
        profile = call.gateway.directory.profile(AccountId(account.name))
        return profile.group_id if profile is not None and profile.group_id else False

    async def clean_number(self, _call: Call, asked: Asked, _account: Account) -> Value:
        """A number with its country code."""
        return self.reading.numbers.digits(asked.items[0])

    async def get_status(self, call: Call, asked: Asked, account: Account) -> Value:
        """What became of each message."""
        rows: list[Value] = []
        for item in asked.items:
            id_ = netoxygen.parse_id(item)
            name = AccountId(account.name)
            report = None if id_ is None else await call.gateway.lookup.report(name, id_)
            rows.append(netoxygen.status_row(item, report, self.reading))
        return rows

    async def cancel_message(self, call: Call, asked: Asked, account: Account) -> Value:
        """Take back what is scheduled; true for what will not be sent."""
        name = AccountId(account.name)
        return [[item, await self._cancel(call, item, name)] for item in asked.items]

    async def _cancel(self, call: Call, item: str, account: AccountId) -> bool:
        id_ = netoxygen.parse_id(item)
        report = None if id_ is None else await call.gateway.lookup.report(account, id_)
        if id_ is None or report is None or report.progress.state is not State.SCHEDULED:
            return False
        return await call.gateway.cancel(account, id_) is None


_METHODS: Final[Mapping[str, Callable[[_Door, Call, Asked, Account], Awaitable[Value]]]] = {
    "send_message": _Door.send_message,
    "auth": _Door.auth,
    "get_credits": _Door.get_credits,
    "account_status": _Door.account_status,
    "get_guid": _Door.get_guid,
    "clean_number": _Door.clean_number,
    "get_status": _Door.get_status,
    "cancel_message": _Door.cancel_message,
}
