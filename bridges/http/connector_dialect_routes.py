"""Routes of the SMS Connector: who may call, then the door in, or the network's side of the flow.

*In*: `Call`. *Out*: `Reply`. *Never*: members and fields; they live in `dialects/connector.py`.

The document prints /receive and /delivery-notification with and without its base path, so both
are served; /send too, unless the Jasmin dialect is on, whose path that is.
"""

from collections.abc import Awaitable, Callable

import attrs
from starlette.routing import BaseRoute

from bridges.http.dialects import connector
from bridges.http.dialects.base import Invalid, Reply
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import ExactRoute
from smsc.config_accounts import in_networks
from smsc.message import AccountId, OutletName
from smsc.ports import Refused

_NOT_POST = ["GET", "HEAD", "PUT", "PATCH", "DELETE"]


def routes(house: House, config: connector.ConnectorConfig) -> list[BaseRoute]:
    """The three paths in both spellings; other paths below the base are 404 with an empty body."""
    if not config.has_reports:
        house.log.warning(
            "sms_connector.reports_off", why="[dialects.connector] names no broker_host"
        )
    door = _Door(config)
    handlers: dict[str, Callable[[Call], Awaitable[Reply]]] = {"/send": door.send}
    if config.outlet:
        handlers["/receive"] = door.receive
        handlers["/delivery-notification"] = door.notify
    base = config.path.rstrip("/")
    found: list[BaseRoute] = []
    for path, handler in handlers.items():
        answer = endpoint(house, handler, wording, Auth.OPTIONAL, config.body_octets)
        is_taken = path == "/send" and "jasmin" in house.dialects
        for prefix in dict.fromkeys((base,) if is_taken else (base, "")):
            found.append(ExactRoute(prefix + path, answer, methods=["POST"]))
            wrong = endpoint(house, _not_post, wording, Auth.OWN, config.body_octets)
            found.append(ExactRoute(prefix + path, wrong, methods=_NOT_POST))
    if base:
        lost = endpoint(house, _unknown, wording, Auth.OWN, config.body_octets)
        found.append(ExactRoute(base + "/{rest:path}", lost, methods=["POST", *_NOT_POST]))
    return found


def wording(failure: Failure) -> Reply:
    """A request that no handler saw: its status, without a body. What is too large is bad."""
    return connector.empty(400 if failure.status in {408, 413} else failure.status)


@attrs.frozen
class _Door:
    """The handlers, with their settings."""

    config: connector.ConnectorConfig

    async def send(self, call: Call) -> Reply:
        """Submit one message; 200 only after the commit was fsynced."""
        account = self._account(call)
        if isinstance(account, Reply):
            return account
        profile = call.gateway.directory.profile(account)
        if profile is None or profile.is_banned:
            why = "the account of [dialects.connector] is unknown or closed"
            return connector.empty(500, ((connector.WHY_HEADER, why),))
        read = call.gateway.number_reader(account)
        draft = connector.parse_send(call.body, account, profile.sender, self.config, read)
        if isinstance(draft, Invalid):
            return connector.invalid_reply(draft)
        (admission,) = await call.gateway.submit.submit_many([draft])
        return connector.admission_reply(admission)

    async def receive(self, call: Call) -> Reply:
        """A message from a handset; the same SmsSid again is the same message."""
        if not self._may_call(call):
            return connector.empty(403)
        received = connector.parse_received(call.body)
        if isinstance(received, Invalid):
            return connector.invalid_reply(received)
        refused = await call.gateway.inject_mo(
            self.config.outlet,
            received.source,
            received.destination,
            received.body,
            key=received.sid,
        )
        return self._told(refused)

    async def notify(self, call: Call) -> Reply:
        """What became of a message that we sent by this provider."""
        if not self._may_call(call):
            return connector.empty(403)
        outlet = OutletName(self.config.outlet)
        receipt = connector.parse_notification(call.body, outlet)
        if isinstance(receipt, Invalid):
            return connector.invalid_reply(receipt)
        return self._told(await call.gateway.take_receipt(receipt))

    @staticmethod
    def _told(refused: Refused | None) -> Reply:
        return connector.empty(200) if refused is None else connector.refusal_reply(refused)

    def _may_call(self, call: Call) -> bool:
        return call.account is not None or in_networks(self.config.networks, call.peer)

    def _account(self, call: Call) -> AccountId | Reply:
        """Whose message it is: basic auth where it is given, else by where it comes from."""
        if call.account is not None:
            return AccountId(call.account.name)
        if not self._may_call(call):
            return connector.empty(403)
        if not self.config.account:
            return connector.empty(401)
        return AccountId(self.config.account)


async def _not_post(_call: Call) -> Reply:
    return connector.empty(405, (("Allow", "POST"),))


async def _unknown(_call: Call) -> Reply:
    return connector.empty(404)
