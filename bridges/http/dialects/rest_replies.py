"""Replies of the native API about messages.

*In*: `Batch` with its admissions; `MessageReport`, `MessagePage`, `Foreseen`.
*Out*: `Reply` with JSON, or problem+json. *Never*: I/O, a clock.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from bridges.http.dialects.base import Reply, iso_utc, json_reply, read_body, shown
from bridges.http.dialects.rest import Batch, SimulatedMo
from bridges.http.dialects.rest_cursor import to_cursor
from bridges.http.dialects.rest_problem import (
    PROBLEM_TYPE,
    Problem,
    pointer,
    problem_body,
    problem_reply,
    refusal,
)
from bridges.http.dialects.rest_quick import Wanted
from smsc.message import State
from smsc.ports import Admission, Admitted, Health, MessagePage, MessageReport

_LOCATION = "/v1/messages/"
_NO_MESSAGE = (
    "there is no message {} of this account; ids are the numbers given when a message was accepted"
)


def admissions_reply(batch: Batch, admissions: Sequence[Admission]) -> Reply:
    """The answer to `POST /v1/messages`; `admissions` answer `batch.drafts()` in order.

    202 if at least one message is on disk, and each element of `messages` then has either `id`
    or `error`; else the status of the errors, the one that may pass later first.
    """
    answers = iter(admissions)
    entries: list[dict[str, object]] = []
    problems: list[tuple[int, Problem]] = []
    for item in batch.items:
        if type(item) is Wanted:
            admission = next(answers)
            if type(admission) is Admitted:
                entries.append(
                    {
                        "id": str(admission.id),
                        "to": item.to,
                        "parts": item.parts,
                        "coding": item.coding,
                    }
                )
                continue
            assert not isinstance(admission, Admitted)
            problem = refusal(admission)
            entry: dict[str, object] = {"to": item.to}
        else:
            assert isinstance(item, Problem)
            problem, entry = item, {}
        at = f"/{len(entries)}" if batch.is_array else ""
        problems.append((len(entries), problem))
        entries.append(entry | {"error": problem_body(problem, at)})
    if len(problems) < len(entries):
        headers = () if batch.is_array else (("Location", f"{_LOCATION}{entries[0]['id']}"),)
        return Reply(202, orjson.dumps({"messages": entries}), "application/json", headers)
    if not batch.is_array:
        return problem_reply(problems[0][1])
    return _none_taken(entries, problems)


def _none_taken(entries: list[dict[str, object]], problems: Sequence[tuple[int, Problem]]) -> Reply:
    statuses = {problem.status for _, problem in problems}
    first = problems[0][1].status
    status = next((each for each in (503, 429, 500) if each in statuses), first)
    whole = Problem(status, f"none of the {len(entries)} messages was taken; see messages")
    errors = [pointer(problem, f"/{place}") for place, problem in problems]
    body = problem_body(whole) | {"errors": errors, "messages": entries}
    return json_reply(status, body, PROBLEM_TYPE)


def no_message(id_text: str) -> Reply:
    """The answer for an id that is nobody's, or somebody else's."""
    return problem_reply(Problem(404, _NO_MESSAGE.format(shown(id_text))))


def report_reply(report: MessageReport | None, id_text: str) -> Reply:
    """The answer to `GET /v1/messages/{id}`."""
    return no_message(id_text) if report is None else json_reply(200, report_body(report))


def page_reply(page: MessagePage) -> Reply:
    """The answer to `GET /v1/messages`: a page, and where the next one begins."""
    data = [report_body(report) for report in page.reports]
    return json_reply(200, {"data": data, "next_cursor": to_cursor(page.below)})


def report_body(report: MessageReport) -> dict[str, Any]:
    """One message and how far it is."""
    message, progress = report.message, report.progress
    spoken = read_body(message.body)
    states = [State(octet) for octet in progress.parts]
    return {
        "id": str(message.id),
        "from": spoken.source,
        "to": spoken.destination,
        "state": progress.state.name,
        "parts": len(states) or spoken.parts,
        "parts_delivered": states.count(State.DELIVERED),
        "coding": spoken.coding,
        "outlet": progress.outlet or None,
        "upstream_ids": list(progress.upstream_ids),
        "attempt": progress.attempt,
        "error": progress.error,
        "accepted": iso_utc(message.accepted_ms),
        "due": iso_utc(progress.due_ms or message.due_ms),
        "expires": iso_utc(message.expires_ms),
        "done": iso_utc(progress.done_ms),
        "reference": message.reference,
        "callback_url": message.callback_url,
        "account": message.account,
    }


def health_reply(health: Health, with_facts: bool) -> Reply:
    """The answer to `GET /v1/health`: 200 when messages can be taken, else 503."""
    body: dict[str, object] = {"ready": health.ready, "why": health.why}
    if with_facts:
        body["facts"] = dict(health.facts)
    return json_reply(200 if health.ready else 503, body)


def simulated_mo_reply(mo: SimulatedMo, wrong: str | None) -> Reply:
    """The answer to `POST /v1/simulate/mo`: 202, or why the outlet cannot."""
    if wrong is not None:
        return problem_reply(Problem(422, wrong))
    return json_reply(202, {"outlet": mo.outlet, "from": mo.from_, "to": mo.to})


def outlet_action_reply(outlet: str, action: str, wrong: str | None) -> Reply:
    """The answer to `POST /v1/outlets/{name}/{action}`: 202, or why it cannot be."""
    if wrong is not None:
        return problem_reply(Problem(422, wrong))
    return json_reply(202, {"outlet": outlet, "action": action})
