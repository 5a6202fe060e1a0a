"""Routes of the Jasmin dialect: its HTTP API and its REST API.

*In*: `Call`. *Out*: `Reply`. *Never*: arguments or sentences; they live in `dialects/jasmin*.py`.

Both APIs do the same: `_send`, `_rate` and `_balance` answer with a `Result`, and the API that was
asked puts it into its envelope.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import attrs
from starlette.routing import BaseRoute

from bridges.http.dialects import jasmin, jasmin_rest
from bridges.http.dialects.base import Reply
from bridges.http.dialects.jasmin import JasminConfig, Result
from bridges.http.dialects.jasmin_arguments import Arguments, Refusal, parse_arguments
from bridges.http.dialects.uuids import uuid_of
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint, parse_basic
from bridges.http.exact_route import LOOK, ExactRoute
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Refused

Ask = Callable[[JasminConfig, Call, Arguments], Awaitable[Result]]


def routes(house: House, config: JasminConfig) -> list[BaseRoute]:
    """The paths of both APIs."""

    def http(
        path: str, ask: Ask, words: Callable[[Refusal], Result], methods: Sequence[str]
    ) -> ExactRoute:
        handler = partial(_answer, config, ask, words)
        wording = partial(_wording, words)
        door = endpoint(house, handler, wording, Auth.OWN, config.body_octets)
        return ExactRoute(path, door, methods)

    def rest(
        name: str, ask: Ask, words: Callable[[Refusal], Result], methods: Sequence[str]
    ) -> ExactRoute:
        handler = partial(_answer_rest, config, ask, words)
        door = endpoint(house, handler, _rest_wording, Auth.OWN, config.body_octets)
        return ExactRoute(f"{config.rest_path.rstrip('/')}/{name}", door, methods)

    batch = endpoint(house, partial(_send_batch, config), _rest_wording, Auth.ACCOUNT)
    return [
        http(config.send_path, _send, jasmin.error_result, ["GET", "POST"]),
        http(config.rate_path, _rate, jasmin.json_error_result, [*LOOK, "POST"]),
        http(config.balance_path, _balance, jasmin.json_error_result, [*LOOK, "POST"]),
        ExactRoute(
            config.ping_path,
            endpoint(house, _ping, partial(_wording, jasmin.error_result), Auth.OWN),
            [*LOOK, "POST"],
        ),
        rest("send", _send, jasmin.error_result, ["POST"]),
        rest("rate", _rate, jasmin.json_error_result, [*LOOK, "POST"]),
        rest("balance", _balance, jasmin.json_error_result, LOOK),
        ExactRoute(f"{config.rest_path.rstrip('/')}/sendbatch", batch, ["POST"]),
    ]


# --- what is asked ----------------------------------------------------------------------------


async def _send(config: JasminConfig, call: Call, arguments: Arguments) -> Result:
    refusal = jasmin.check_send(arguments, config)
    if refusal is not None:
        return jasmin.error_result(refusal)
    content = jasmin.parse_content(arguments, config)
    if isinstance(content, Refusal):
        return jasmin.error_result(content)
    username, password = jasmin.credentials(arguments)
    account = await call.authenticate(username, password)
    if isinstance(account, Refused):
        return jasmin.error_result(jasmin.refused_login(account, username))
    name = AccountId(account.name)
    sender, read = call.sender(name), call.gateway.number_reader(name)
    draft = jasmin.to_draft(arguments, content, name, sender, call.now_ms, read)
    if isinstance(draft, Refusal):
        return jasmin.error_result(draft)
    (admission,) = await call.gateway.submit.submit_many([draft])
    return jasmin.sent_result(admission, username, arguments)


async def _rate(config: JasminConfig, call: Call, arguments: Arguments) -> Result:
    refusal = jasmin.check_rate(arguments, config)
    if refusal is not None:
        return jasmin.json_error_result(refusal)
    content = jasmin.parse_rate_content(arguments, config)
    if isinstance(content, Refusal):
        return jasmin.json_error_result(content)
    username, password = jasmin.credentials(arguments)
    account = await call.authenticate(username, password)
    if isinstance(account, Refused):
        return jasmin.json_error_result(jasmin.refused_login(account, username))
    name = AccountId(account.name)
    sender, read = call.sender(name), call.gateway.number_reader(name)
    draft = jasmin.to_draft(arguments, content, name, sender, call.now_ms, read)
    if isinstance(draft, Refusal):
        return jasmin.json_error_result(draft)
    return jasmin.rate_result(call.gateway.preview(draft), username, arguments)


async def _balance(config: JasminConfig, call: Call, arguments: Arguments) -> Result:
    refusal = jasmin.check_balance(arguments, config)
    if refusal is not None:
        return jasmin.json_error_result(refusal)
    username, password = jasmin.credentials(arguments)
    account = await call.authenticate(username, password)
    if isinstance(account, Refused):
        return jasmin.json_error_result(jasmin.refused_login(account, username))
    return jasmin.balance_result(call.gateway.credits.balances(AccountId(account.name)))


# --- the HTTP API -----------------------------------------------------------------------------


async def _answer(
    config: JasminConfig, ask: Ask, words: Callable[[Refusal], Result], call: Call
) -> Reply:
    content_type = call.headers.get("content-type", "")
    arguments = parse_arguments(call.query, content_type, call.body)
    if isinstance(arguments, Refusal):
        return jasmin.to_reply(words(arguments))
    return jasmin.to_reply(await ask(config, call, arguments))


async def _ping(_call: Call) -> Reply:
    return Reply(200, jasmin.PONG, "text/plain")


def _wording(words: Callable[[Refusal], Result], failure: Failure) -> Reply:
    return jasmin.to_reply(words(jasmin.failure(failure.status)))


# --- the REST API -----------------------------------------------------------------------------


async def _answer_rest(
    config: JasminConfig, ask: Ask, words: Callable[[Refusal], Result], call: Call
) -> Reply:
    header = call.headers.get("authorization")
    if header is None:
        return jasmin_rest.precondition_reply(jasmin_rest.unauthorized())
    basic = parse_basic(header)
    if basic is None:
        return jasmin_rest.precondition_reply(jasmin_rest.unauthorized("Invalid token"))
    arguments = parse_arguments(call.query, "", b"")
    if isinstance(arguments, Refusal):
        return jasmin_rest.to_reply(words(arguments))
    members = jasmin_rest.parse_members(call.body or b"{}")
    if isinstance(members, jasmin_rest.Precondition):
        return jasmin_rest.precondition_reply(members)
    arguments |= jasmin_rest.to_arguments(members, *basic)
    return jasmin_rest.to_reply(await ask(config, call, arguments))


def _rest_wording(failure: Failure) -> Reply:
    if failure.status in {401, 403, 429}:
        title = "Authentication required" if failure.status == 401 else "Forbidden"
        return jasmin_rest.precondition_reply(
            attrs.evolve(jasmin_rest.unauthorized(title), status=failure.status)
        )
    return jasmin_rest.to_reply(jasmin.error_result(jasmin.failure(failure.status)))


async def _send_batch(config: JasminConfig, call: Call) -> Reply:
    """All messages of a batch go through the door together, before the answer."""
    members = jasmin_rest.parse_members(call.body)
    if isinstance(members, jasmin_rest.Precondition):
        return jasmin_rest.precondition_reply(members)
    account = AccountId(call.caller.name)
    profile = call.gateway.directory.profile(account)
    zone = profile.time_zone if profile is not None else "UTC"
    # Who is calling is known; a password that fits the table stands for the one that was right.
    order = jasmin_rest.parse_batch(members, account, "*", call.now_ms, zone, config.max_messages)
    if isinstance(order, jasmin_rest.Precondition):
        return jasmin_rest.precondition_reply(order)
    drafts = [_batch_draft(config, call, account, one, order.delay_s) for one in order.messages]
    wanted = [one for one in drafts if isinstance(one, Draft)]
    admissions = iter(await call.gateway.submit.submit_many(wanted) if wanted else [])
    results = [
        _batch_result(next(admissions) if isinstance(one, Draft) else one, account, arguments)
        for one, arguments in zip(drafts, order.messages, strict=True)
    ]
    ids = [one.id for one in results if one.id is not None]
    if ids:
        tellings = jasmin_rest.tellings(order, results, account, uuid_of(ids[0]))
        if tellings:
            await call.gateway.tell(tellings)
        return jasmin_rest.batch_reply(ids[0], len(ids), order.delay_s)
    nothing = jasmin.error_result(Refusal(400, "Mandatory argument [to] is not found."))
    return jasmin_rest.to_reply(results[0] if results else nothing)


def _batch_draft(
    config: JasminConfig, call: Call, account: AccountId, arguments: Arguments, delay_s: int
) -> Draft | Refusal:
    refusal = jasmin.check_send(arguments, config)
    if refusal is not None:
        return refusal
    content = jasmin.parse_content(arguments, config)
    if isinstance(content, Refusal):
        return content
    sender, read = call.sender(account), call.gateway.number_reader(account)
    draft = jasmin.to_draft(arguments, content, account, sender, call.now_ms, read)
    if isinstance(draft, Draft):
        draft.batch = NEW_BATCH
        draft.due_ms = max(draft.due_ms, call.now_ms + delay_s * 1000 if delay_s else 0)
    return draft


def _batch_result(answer: Admission | Refusal, account: AccountId, arguments: Arguments) -> Result:
    if isinstance(answer, Admitted | Refused):
        return jasmin.sent_result(answer, account, arguments)
    return jasmin.error_result(answer)
