"""Routes of the SMSHub dialect: the service, its WSDL, and the key that may guard them.

*In*: `Call`. *Out*: `Reply`. *Never*: parameters; they live in `dialects/smshub.py`.
"""

import hmac
import platform
import re
import resource
from importlib.metadata import version
from typing import Final
from urllib.parse import parse_qsl

import attrs
from starlette.routing import BaseRoute

from bridges.http.dialects import smshub, smshub_replies
from bridges.http.dialects.base import Reply
from bridges.http.dialects.numbers import NumberReader
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import LOOK, ExactRoute
from smsc.message import AccountId
from smsc.ports import Refused

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)
"""What a Host header may look like that the WSDL repeats."""


def routes(house: House, config: smshub.SmshubConfig) -> list[BaseRoute]:
    """The service with and without its slash, and the WSDL at its own path."""
    door = _Door(config, NumberReader(config.region))
    service = endpoint(house, door.answer, wording, Auth.OWN, config.body_octets)
    wsdl = endpoint(house, door.wsdl, wording, Auth.OWN, config.body_octets)
    asked = endpoint(house, door.asked_by_get, wording, Auth.OWN, config.body_octets)
    found: list[BaseRoute] = [ExactRoute(config.wsdl_path, wsdl, methods=LOOK)]
    for path in dict.fromkeys((config.path, config.path.rstrip("/") or "/")):
        found.append(ExactRoute(path, service, methods=["POST"]))
        found.append(ExactRoute(path, asked, methods=LOOK))
    return found


def wording(failure: Failure) -> Reply:
    """A request that no code saw, or that broke one."""
    return smshub_replies.failure(failure.status, failure.why)


@attrs.frozen
class _Door:
    """The handlers, with their settings."""

    config: smshub.SmshubConfig
    numbers: NumberReader

    async def answer(self, call: Call) -> Reply:
        """Key, frame, operation; then password and what the operation asks."""
        if not self._has_key(call):
            return smshub_replies.no_key_reply()
        asked = smshub.parse_request(call.body)
        if isinstance(asked, Reply):
            return asked
        if asked.shape.operation.endswith("Status"):
            return smshub_replies.status_reply(asked.shape, call.gateway.health(), self._host(call))
        return smshub_replies.reply(asked.shape, await self._send_or_sign(call, asked))

    async def asked_by_get(self, call: Call) -> Reply:
        """The WSDL for `?wsdl`; the service itself takes POST."""
        names = {name.lower() for name, _ in parse_qsl(call.query, keep_blank_values=True)}
        if "wsdl" in names:
            return await self.wsdl(call)
        return Reply(405, b"", "text/plain", (("Allow", "POST"),))

    async def wsdl(self, call: Call) -> Reply:
        """The WSDL; it names the address that the client used."""
        location = self.config.public_url or f"http://{_host_of(call)}{self.config.path}"
        return smshub_replies.wsdl_reply(location)

    async def _send_or_sign(self, call: Call, asked: smshub.Asked) -> smshub_replies.Answer:
        missing = [name for name in ("username", "password") if name not in asked.fields]
        if missing:
            return smshub_replies.bad_request(f"{' and '.join(missing)}: it is required")
        account = await call.authenticate(asked.field("username"), asked.field("password"))
        if isinstance(account, Refused):
            return smshub.login_answer(account)
        if asked.shape.operation == "smshubSign":
            wrong = smshub.check_send(asked, self.config)
            return wrong or smshub_replies.server_error(
                "smshubSign is not supported: nothing is signed"
            )
        name = AccountId(account.name)
        drafts = smshub.parse_send(
            asked,
            name,
            call.sender(name),
            self.config,
            numbers=self.numbers,
            now_ms=call.now_ms,
            peer=call.peer,
            read=call.gateway.number_reader(name),
        )
        if isinstance(drafts, smshub_replies.Answer):
            return drafts
        admissions = await call.gateway.submit.submit_many(drafts)
        return smshub.sent_answer(asked.mobiles, admissions)

    def _has_key(self, call: Call) -> bool:
        key = self.config.api_key.value
        given = call.headers.get("wa-api-key", "")
        return not key or hmac.compare_digest(key.encode(), given.encode())

    def _host(self, call: Call) -> smshub_replies.Host:
        uname = platform.uname()
        return smshub_replies.Host(
            version=version("smsc-gateway"),
            system=f"{uname.system} {uname.release} {uname.machine}",
            listener=_host_of(call),
            node="1/1",
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )


def _host_of(call: Call) -> str:
    given = call.headers.get("host", "")
    return given if _HOST.fullmatch(given) else "localhost"
