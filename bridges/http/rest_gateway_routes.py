"""Handlers of the native API about the gateway itself: health, outlets, the document.

*In*: `Call`. *Out*: `Reply`. *Never*: JSON members; they live in `dialects/rest*.py`.
"""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import orjson

from bridges.http.dialects import openapi, openapi_page, rest, rest_problem, rest_replies
from bridges.http.dialects.base import Reply
from bridges.http.endpoint import Call, Handler

_PAGE_HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
)


async def get_health(call: Call) -> Reply:
    """Ready or not, for anyone; the facts behind it for an admin."""
    with_facts = call.account is not None and call.account.admin
    return rest_replies.health_reply(call.gateway.health(), with_facts)


async def post_simulated_mo(call: Call) -> Reply:
    """Let a simulator outlet receive a message from a handset."""
    payload = rest.loads(call.body)
    if isinstance(payload, rest_problem.Problem):
        return rest_problem.problem_reply(payload)
    mo = rest.parse_simulated_mo(payload)
    if isinstance(mo, rest_problem.Problem):
        return rest_problem.problem_reply(mo)
    wrong = await call.gateway.simulate_mo(mo.outlet, mo.from_, mo.to, mo.text)
    return rest_replies.simulated_mo_reply(mo, wrong)


async def post_outlet_action(call: Call) -> Reply:
    """Start, stop or drain one outlet; resend or fail what is held for it."""
    outlet, action = call.path["name"], call.path["action"]
    wrong = await call.gateway.control_outlet(outlet, action)
    return rest_replies.outlet_action_reply(outlet, action, wrong)


async def get_openapi(_call: Call) -> Reply:
    """The document, for programs."""
    return Reply(200, _document(), "application/json")


async def get_docs(_call: Call) -> Reply:
    """The document, for people; one page that needs nothing from elsewhere."""
    return Reply(200, _page(), "text/html", _PAGE_HEADERS)


@lru_cache(maxsize=1)
def _document() -> bytes:
    return orjson.dumps(openapi.document(_version()))


@lru_cache(maxsize=1)
def _page() -> bytes:
    return openapi_page.render(openapi.document(_version())).encode()


def _version() -> str:
    try:
        return version("smsc")
    except PackageNotFoundError:  # run from a checkout
        return "0"


HANDLERS: Final[dict[str, Handler]] = {
    "get_health": get_health,
    "post_simulated_mo": post_simulated_mo,
    "post_outlet_action": post_outlet_action,
    "get_openapi": get_openapi,
    "get_docs": get_docs,
}
