"""Routes of the native API: each handler asks the gateway and lets `dialects.rest` speak.

*In*: `Call`. *Out*: `Reply`. *Never*: JSON members; they live in `dialects/rest.py`.
"""

from starlette.routing import Route

from bridges.http.dialects import rest
from bridges.http.dialects.base import Reply
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from smsc.message import AccountId


def routes(house: House) -> list[Route]:
    """The paths under /v1."""
    return [
        Route("/v1/messages", endpoint(house, post_messages, wording), methods=["POST"]),
        Route("/v1/messages/{id}", endpoint(house, get_message, wording), methods=["GET"]),
        Route("/v1/health", endpoint(house, get_health, wording, Auth.OPTIONAL), methods=["GET"]),
        Route(
            "/v1/simulate/mo",
            endpoint(house, post_simulated_mo, wording, Auth.ADMIN),
            methods=["POST"],
        ),
        Route(
            "/v1/outlets/{name}/{action}",
            endpoint(house, post_outlet_action, wording, Auth.ADMIN),
            methods=["POST"],
        ),
    ]


def wording(failure: Failure) -> Reply:
    """A failure as problem+json."""
    return rest.problem_reply(rest.Problem(failure.status, failure.why))


async def post_messages(call: Call) -> Reply:
    """Submit one message or an array; 202 only after the commit was fsynced."""
    payload = rest.loads(call.body)
    if isinstance(payload, rest.Problem):
        return rest.problem_reply(payload)
    batch = rest.parse_batch(payload, AccountId(call.caller.name), call.now_ms)
    if isinstance(batch, rest.Problem):
        return rest.problem_reply(batch)
    drafts = batch.drafts()
    admissions = await call.gateway.submit.submit_many(drafts) if drafts else []
    return rest.admissions_reply(batch, admissions)


async def get_message(call: Call) -> Reply:
    """What became of a message; another account's is as unknown as one that never was."""
    id_text = call.path["id"]
    id_ = rest.parse_message_id(id_text)
    if id_ is None:
        return rest.report_reply(None, id_text)
    report = await call.gateway.lookup.report(AccountId(call.caller.name), id_)
    return rest.report_reply(report, id_text)


async def get_health(call: Call) -> Reply:
    """Ready or not, for anyone; the facts behind it for an admin."""
    with_facts = call.account is not None and call.account.admin
    return rest.health_reply(call.gateway.health(), with_facts)


async def post_simulated_mo(call: Call) -> Reply:
    """Let a simulator outlet receive a message from a handset."""
    payload = rest.loads(call.body)
    if isinstance(payload, rest.Problem):
        return rest.problem_reply(payload)
    mo = rest.parse_simulated_mo(payload)
    if isinstance(mo, rest.Problem):
        return rest.problem_reply(mo)
    wrong = await call.gateway.simulate_mo(mo.outlet, mo.from_, mo.to, mo.text)
    return rest.simulated_mo_reply(mo, wrong)


async def post_outlet_action(call: Call) -> Reply:
    """Start, stop or drain one outlet; resend or fail what is held for it."""
    outlet, action = call.path["name"], call.path["action"]
    wrong = await call.gateway.control_outlet(outlet, action)
    return rest.outlet_action_reply(outlet, action, wrong)
