"""The route of the SubitoSMS dialect: one path, three actions.

*In*: `Call`. *Out*: `Reply`. *Never*: JSON members; they live in `dialects/subito.py`.
"""

from functools import partial

from starlette.routing import BaseRoute

from bridges.http.dialects import subito, subito_status
from bridges.http.dialects.base import Reply
from bridges.http.dialects.numbers import NumberReader
from bridges.http.endpoint import Auth, Call, Failure, House, endpoint
from bridges.http.exact_route import ExactRoute
from smsc.message import AccountId
from smsc.ports import Refused

MAX_ADDRESS_BOOKS = 1000


def routes(house: House, config: subito.SubitoConfig) -> list[BaseRoute]:
    """The one path; what is asked by GET has no body, and is told so in the dialect's own words."""
    handler = partial(answer, config, NumberReader(config.region))
    door = endpoint(house, handler, wording, Auth.OWN, config.body_octets)
    return [ExactRoute(config.path, door, methods=["GET", "POST"])]


def wording(failure: Failure) -> Reply:
    """A request that no code saw, or that broke one."""
    return subito.fault_reply(subito.failure(failure.status, failure.why))


async def answer(config: subito.SubitoConfig, numbers: NumberReader, call: Call) -> Reply:
    """Frame, password, action, and then what the action asks."""
    asked = subito.parse_request(call.body)
    if isinstance(asked, subito.Fault):
        return subito.fault_reply(asked)
    account = await call.authenticate(asked.username, asked.password)
    if isinstance(account, Refused):
        return subito.fault_reply(subito.refused_login(account))
    action = subito.parse_action(call.query)
    fault = subito.check_action(action)
    if fault is not None:
        return subito.fault_reply(fault)
    name = AccountId(account.name)
    if action == "send":
        order = subito.parse_order(asked.data, name, config, numbers, call.sender(name))
        return await _send(call, name, order)
    if action == "status":
        return await _status(config, call, name, asked.data)
    balances = call.gateway.credits.balances(name)
    books = call.gateway.contacts.groups(name, limit=MAX_ADDRESS_BOOKS)
    return subito.credit_reply(balances, len(books), config)


async def _send(call: Call, account: AccountId, order: subito.Order | subito.Fault) -> Reply:
    if isinstance(order, subito.Fault):
        return subito.fault_reply(order)
    drafts = order.drafts()
    balances = call.gateway.credits.balances(account)
    if balances is not None:
        # Nobody else is heard between this look and the door: the balance is what intake will see.
        foreseen = [call.gateway.preview(draft) for draft in drafts]
        fault = subito.check_credit(foreseen, balances)
        if fault is not None:
            return subito.fault_reply(fault)
    return subito.sent_reply(order, await call.gateway.submit.submit_many(drafts))


async def _status(
    config: subito.SubitoConfig, call: Call, account: AccountId, data: object
) -> Reply:
    ids = subito_status.parse_ids(data, config)
    if isinstance(ids, subito.Fault):
        return subito.fault_reply(ids)
    groups = []
    for id_ in ids:
        batch = subito_status.batch_of(id_)
        reports = [] if batch is None else await call.gateway.lookup.batch(account, batch)
        groups.append((id_, reports))
    return subito_status.status_reply(groups)
