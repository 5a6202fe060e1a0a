"""Routes of the native API: one for each path of its table, and the handlers of messages.

*In*: `Call`. *Out*: `Reply`. *Never*: JSON members; they live in `dialects/rest*.py`.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from bridges.http import rest_account_routes, rest_gateway_routes
from bridges.http.dialects import rest, rest_change, rest_problem, rest_queries, rest_replies
from bridges.http.dialects.base import Invalid, Reply, json_reply
from bridges.http.dialects.rest_account import preview_body
from bridges.http.dialects.rest_operations import OPERATIONS, Caller, Operation
from bridges.http.dialects.rest_quick import PLAIN, Style
from bridges.http.endpoint import Auth, Call, Failure, Handler, House, endpoint
from bridges.http.exact_route import LOOK, ExactRoute
from smsc.message import AccountId
from smsc.ports import Admission, Answer, Refused

_AUTH: Final = {
    Caller.ANYBODY: Auth.OPTIONAL,
    Caller.ACCOUNT: Auth.ACCOUNT,
    Caller.ADMIN: Auth.ADMIN,
}
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(house: House) -> list[ExactRoute]:
    """The paths under /v1, as `rest_operations` lists them."""
    handlers = _handlers(house)
    by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for operation in OPERATIONS:
        octets = None if operation.is_batch else house.message_octets
        handler = handlers[operation.name]
        auth = _AUTH[operation.caller]
        by_path[operation.path][operation.method] = endpoint(
            house, partial(_checked, operation, handler), wording, auth, octets
        )
    return [
        ExactRoute(path, _by_method(endpoints), [*endpoints, *(LOOK if "GET" in endpoints else ())])
        for path, endpoints in by_path.items()
    ]


def wording(failure: Failure) -> Reply:
    """A failure as problem+json."""
    return rest_problem.problem_reply(rest_problem.Problem(failure.status, failure.why))


def _handlers(house: House) -> dict[str, Handler]:
    return {
        "post_messages": partial(post_messages, house.message_octets),
        "list_messages": list_messages,
        "get_message": get_message,
        "change_message": change_message,
        "cancel_message": cancel_message,
        "cancel_message_by_post": cancel_message,
        "preview": preview,
        **rest_account_routes.HANDLERS,
        **rest_gateway_routes.HANDLERS,
    }


def _by_method(endpoints: dict[str, Endpoint]) -> Endpoint:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return dispatch


async def _checked(operation: Operation, handler: Handler, call: Call) -> Reply:
    """What goes for every operation: none but those of a list takes parameters."""
    if call.query and not operation.query:
        values = rest_queries.parse_query((), call.query)
        if isinstance(values, rest_problem.Problem):
            return rest_problem.problem_reply(values)
    return await handler(call)


def _style(call: Call) -> Style:
    """What the account's messages have when they do not say otherwise."""
    account = AccountId(call.caller.name)
    profile, read = call.gateway.directory.profile(account), call.gateway.number_reader(account)
    sender, footer = ("", "") if profile is None else (profile.sender, profile.footer)
    return Style(sender, footer, read) if sender or footer or read is not str else PLAIN


async def post_messages(message_octets: int, call: Call) -> Reply:
    """Submit one message or an array; 202 only after the commit was fsynced."""
    key = rest.parse_key(call.headers.get("idempotency-key"))
    if isinstance(key, Invalid):
        return rest_problem.invalid_reply(key)
    payload = rest.loads(call.body)
    if isinstance(payload, rest_problem.Problem):
        return rest_problem.problem_reply(payload)
    if len(call.body) > message_octets:
        too_long = rest.too_long(payload, message_octets)
        if too_long is not None:
            return rest_problem.problem_reply(too_long)
    batch = rest.parse_batch(payload, AccountId(call.caller.name), call.now_ms, _style(call))
    if isinstance(batch, rest_problem.Problem):
        return rest_problem.problem_reply(batch)
    if key is not None:
        return await _post_once(call, batch, key)
    drafts = batch.drafts()
    admissions = await call.gateway.submit.submit_many(drafts) if drafts else []
    return rest_replies.admissions_reply(batch, admissions)


async def _post_once(call: Call, batch: rest.Batch, key: str) -> Reply:
    """The same, with a key: its answer is stored in the commit of the messages."""

    def answer_of(admissions: Sequence[Admission]) -> Answer:
        reply = rest_replies.admissions_reply(batch, admissions)
        return Answer(reply.status, reply.media_type, reply.body, reply.headers)

    account = AccountId(call.caller.name)
    begun = call.gateway.begin(account, key, call.body, answer_of)
    if isinstance(begun, Refused):
        return rest_problem.refusal_reply(begun)
    if isinstance(begun, Answer):
        headers = (*begun.headers, ("Idempotency-Replayed", "true"))
        return Reply(begun.status, begun.body, begun.media_type, headers)
    try:
        drafts = batch.drafts()
        submit = call.gateway.submit
        admissions = await submit.submit_many(drafts, begun) if drafts else []
        return rest_replies.admissions_reply(batch, admissions)
    finally:
        begun.release()


async def list_messages(call: Call) -> Reply:
    """Those that fit, newest first."""
    values = rest_queries.parse_query(rest_queries.MESSAGES, call.query)
    if isinstance(values, rest_problem.Problem):
        return rest_problem.problem_reply(values)
    caller = call.caller
    query = rest_queries.message_query(values, AccountId(caller.name), is_admin=caller.admin)
    if isinstance(query, rest_problem.Problem):
        return rest_problem.problem_reply(query)
    return rest_replies.page_reply(await call.gateway.lookup.reports(query))


async def get_message(call: Call) -> Reply:
    """What became of a message; another account's is as unknown as one that never was."""
    id_text = call.path["id"]
    id_ = rest.parse_message_id(id_text)
    if id_ is None:
        return rest_replies.no_message(id_text)
    report = await call.gateway.lookup.report(AccountId(call.caller.name), id_)
    return rest_replies.report_reply(report, id_text)


async def change_message(call: Call) -> Reply:
    """Give a message that waits another text, schedule, validity or receipt wish."""
    account, id_text = AccountId(call.caller.name), call.path["id"]
    payload = rest.loads(call.body)
    if isinstance(payload, rest_problem.Problem):
        return rest_problem.problem_reply(payload)
    id_ = rest.parse_message_id(id_text)
    report = None if id_ is None else await call.gateway.lookup.report(account, id_)
    if id_ is None or report is None or not report.message.is_readable:
        return rest_replies.no_message(id_text)
    draft = rest_change.parse_change(payload, report.message, call.now_ms, _style(call))
    if isinstance(draft, rest_problem.Problem):
        return rest_problem.problem_reply(draft)
    refused = await call.gateway.replace(account, id_, draft)
    if refused is not None:
        return rest_problem.refusal_reply(refused)
    return rest_replies.report_reply(await call.gateway.lookup.report(account, id_), id_text)


async def cancel_message(call: Call) -> Reply:
    """End a message that waits."""
    account, id_text = AccountId(call.caller.name), call.path["id"]
    id_ = rest.parse_message_id(id_text)
    if id_ is None:
        return rest_replies.no_message(id_text)
    refused = await call.gateway.cancel(account, id_)
    if refused is not None:
        return rest_problem.refusal_reply(refused)
    return rest_replies.report_reply(await call.gateway.lookup.report(account, id_), id_text)


async def preview(call: Call) -> Reply:
    """What would become of a message."""
    payload = rest.loads(call.body)
    if isinstance(payload, rest_problem.Problem):
        return rest_problem.problem_reply(payload)
    wanted = rest.parse_message(payload, AccountId(call.caller.name), call.now_ms, _style(call))
    if isinstance(wanted, rest_problem.Problem):
        return rest_problem.problem_reply(wanted)
    foreseen = call.gateway.preview(wanted.draft)
    if isinstance(foreseen, Refused):
        return rest_problem.refusal_reply(foreseen)
    return json_reply(200, preview_body(foreseen))
