"""Routes of the Kannel dialect: sendsms, and Kannel's word for what is not there.

*In*: `Call`. *Out*: `Reply`. *Never*: parameters; they live in `dialects/kannel.py`.
"""

import attrs
from starlette.routing import BaseRoute

from bridges.http.dialects import kannel, kannel_answers
from bridges.http.dialects.base import Reply
from bridges.http.dialects.kannel_answers import Answer, to_reply
from bridges.http.dialects.kannel_request import parse_request
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import ExactRoute
from bridges.http.gateway import Gateway
from smsc.message import AccountId
from smsc.ports import Refused

METHODS = ["GET", "POST"]
FOLDER = "/cgi-bin/"
LOOK_MS = 1000
"""How old the knowledge of what outlets are up may be."""


def routes(house: House, config: kannel.KannelConfig) -> list[BaseRoute]:
    """The path of sendsms; other paths of the same folder get Kannel's 404."""
    door = endpoint(house, Sendsms(config).answer, wording, Auth.OWN, config.body_octets)
    found: list[BaseRoute] = [ExactRoute(config.path, door, methods=METHODS)]
    if config.path.startswith(FOLDER):
        lost = endpoint(house, _unknown, wording, Auth.OWN, config.body_octets)
        found.append(ExactRoute(FOLDER + "{rest:path}", lost, methods=METHODS))
    return found


def wording(failure: Failure) -> Reply:
    """A request that no check saw, or that broke one."""
    return to_reply(kannel_answers.failure(failure.status))


@attrs.define(slots=True)
class Sendsms:
    """The handler, with what it remembers of the outlets."""

    _config: kannel.KannelConfig
    _looked_ms: int = -LOOK_MS
    _is_up: bool = True

    async def answer(self, call: Call) -> Reply:
        """Credentials, fields, then the door in."""
        asked = parse_request(call.method, call.query, call.headers, call.body)
        if isinstance(asked, Answer):
            return to_reply(asked)
        account = await call.authenticate(asked.username, asked.password)
        if isinstance(account, Refused):
            return to_reply(kannel_answers.refused_login(account))
        name = AccountId(account.name)
        read = call.gateway.number_reader(name)
        send = kannel.parse_send(asked, name, call.sender(name), self._config, call.now_ms, read)
        if isinstance(send, Answer):
            return to_reply(send)
        admissions = await call.gateway.submit.submit_many(send.drafts)
        is_up = self._look(call.gateway, call.now_ms)
        is_immediate = self._config.immediate_reply
        answer = kannel_answers.sent_answer(
            send, admissions, is_up=is_up, is_immediate=is_immediate
        )
        return to_reply(answer)

    def _look(self, gateway: Gateway, now_ms: int) -> bool:
        """Is an outlet up? Health counts much that is of no interest here, so not for each."""
        if now_ms - self._looked_ms >= LOOK_MS:
            facts = gateway.health().facts
            outlets, down = facts.get("outlets"), facts.get("outlets_down")
            if isinstance(outlets, dict) and isinstance(down, list):
                self._is_up = len(down) < len(outlets)
            self._looked_ms = now_ms
        return self._is_up


async def _unknown(_call: Call) -> Reply:
    return to_reply(kannel_answers.UNKNOWN)
