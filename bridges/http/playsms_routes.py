"""The route of playSMS web services: one path, and the table of operations behind it.

*In*: `Call`. *Out*: `Reply`. *Never*: parameters and rows; they live in `dialects/playsms/`.

Without `app` it is the page that ws_login opens.
The order of checks: is it for us (`app`), is it an operation, who is calling and may he, is a
parameter missing or unreadable, and then what the operation itself finds.
"""

from collections.abc import Mapping
from typing import Final

import attrs
from starlette.routing import BaseRoute

from bridges.http import playsms_admin as admin
from bridges.http import playsms_user as user
from bridges.http.dialects.base import Reply
from bridges.http.dialects.playsms.codes import Fault, refused_login
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.formats import SEND_FAILED, Answer, to_reply
from bridges.http.dialects.playsms.parameters import Parameters, parse_parameters
from bridges.http.dialects.playsms.send import Reading
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import ExactRoute
from bridges.http.gateway import Account
from bridges.http.playsms_ask import Ask, Handler, Operation
from bridges.http.playsms_login import LoginDoor
from smsc.message import AccountId
from smsc.ports import Refused


def _list(handler: Handler, *needs: str) -> Operation:
    return Operation(handler, needs, failed=501)


def _account(handler: Handler, code: int, *needs: str) -> Operation:
    """About an account; the code of what failed is one above that of what is missing."""
    return Operation(
        handler, ("data_username", *needs), code, code + 1, is_admin=True, has_target=True
    )


_ADDED: Final = ("data_status", "data_username", "data_password", "data_name", "data_email")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "pv": Operation(user.pv, ("to", "msg"), 201, SEND_FAILED, SEND_FAILED),
    "ds": Operation(user.ds, failed=400),
    "in": _list(user.incoming),
    "ix": _list(user.inbox),
    "sx": _list(user.sandbox),
    "cr": Operation(user.cr),
    "get_token": Operation(user.get_token, failed=104, by_password=True),
    "set_token": Operation(user.set_token),
    "get_contact": _list(user.get_contact, "kwd"),
    "get_contact_group": _list(user.get_contact_group, "kwd"),
    "query": Operation(user.query),
    "inject": Operation(admin.inject, ("from", "msg"), 602, 601, is_admin=True),
    "accountadd": Operation(admin.accountadd, _ADDED, 603, 604, is_admin=True),
    "accountremove": _account(admin.accountremove, 605),
    "parentset": _account(admin.parentset, 607, "data_parent"),
    "parentget": _account(admin.parentget, 609),
    "accountban": _account(admin.accountban, 611),
    "accountunban": _account(admin.accountunban, 613),
    "accountpref": _account(admin.accountpref, 615),
    "accountconf": _account(admin.accountconf, 617),
    "creditview": _account(admin.creditview, 619),
    "creditadd": _account(admin.creditadd, 621, "data_amount"),
    "creditdeduct": _account(admin.creditdeduct, 623, "data_amount"),
    "loginkeyset": _account(admin.loginkeyset, 625),
}
"""Every operation but ws_login, whose answer is a redirect: see `playsms_login`."""

APPS: Final = frozenset({"ws", "webservices"})


def routes(house: House, config: PlaysmsConfig) -> list[BaseRoute]:
    """The one path, by GET and POST."""

    def wording(failure: Failure) -> Reply:
        fault = Fault(501, failure.why, failure.status)
        return to_reply(fault, "", house.now_ms())

    door = _Door(Reading.of(config), LoginDoor(config))
    answer = endpoint(house, door.answer, wording, Auth.OWN, config.body_octets)
    return [ExactRoute(config.path, answer, methods=["GET", "POST"])]


@attrs.frozen
class _Door:
    """What is checked before an operation sees the request."""

    reading: Reading
    login: LoginDoor

    async def answer(self, call: Call) -> Reply:
        """One request."""
        content_type = call.headers.get("content-type", "")
        asked = parse_parameters(call.query, content_type, call.body)
        if "app" not in asked.values and call.method == "GET" and self.login.has_page:
            return await self.login.page(call)
        if asked.lower("app") not in APPS:
            return Reply(404, b"Only app=ws is served here.\n", "text/plain")
        if asked.lower("op") == "ws_login":
            return await self.login.enter(call, asked)
        return to_reply(await self._operate(call, asked), asked.get("format"), call.now_ms)

    async def _operate(self, call: Call, asked: Parameters) -> Answer | Fault:
        name = asked.lower("op")
        operation = OPERATIONS.get(name)
        if operation is None:
            is_empty = not name and "op" not in asked.broken
            return Fault(102 if is_empty else 101)
        caller = await self._caller(call, asked, operation)
        if isinstance(caller, Fault):
            return caller
        if operation.is_admin and not caller.admin:
            return Fault(600)
        if asked.lacks(operation.needs):
            return Fault(operation.missing)
        if asked.broken:
            why = "a parameter is no UTF-8, or has control characters"
            return Fault(operation.failed, why)
        if operation.has_target:
            target = AccountId(asked.get("data_username"))
            if call.gateway.directory.profile(target) is None:
                return Fault(operation.missing)
        return await operation.handler(Ask(operation, call, asked, caller, self.reading))

    async def _caller(self, call: Call, asked: Parameters, operation: Operation) -> Account | Fault:
        """Who is calling: by name or e-mail address, with a token or a password."""
        login, secret = asked.get("u"), asked.get("p" if operation.by_password else "h")
        if not login or not secret:
            return Fault(600 if operation.is_admin else 100)
        profile = call.gateway.directory.find(login)
        name = login if profile is None else profile.account
        judge = call.authenticate if operation.by_password else call.authenticate_token
        account = await judge(name, secret)
        if isinstance(account, Refused):
            return refused_login(account, is_admin=operation.is_admin, closed=operation.closed)
        if account.name in self.reading.config.disabled:
            return Fault(105)
        return account
