"""Whole gateways with online services as outlets: redundancy, receipts, doubt, isolation."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest

from smsc.message import State
from tests.fakes.house import ACCOUNT, RunningGateway, StartGateway
from tests.fakes.reloadable import HEAD, ReloadableGateway
from tests.fakes.services.clickatell import LOGIN, FakeClassic, FakePlatform, platform_callback
from tests.fakes.services.twilio import SID, TOKEN, FakeTwilio, form, sign
from tests.fakes.services.web import Answer, FakeWeb, Hang, Seen, serving_aside

HTTP = """
[http]
listen = ["127.0.0.1:0"]
"""
PATH = "/receipts/x7Kq2mN9vB4t"


@attrs.define
class Switch:
    """A service that can be made to hang, or to answer 500."""

    fake: Callable[[Seen], Answer]
    mode: str = "well"

    def __call__(self, seen: Seen) -> Answer:
        if self.mode == "hang":
            return Hang()
        if self.mode == "ill":
            return FakePlatform(("18", "ill"), 503)(seen) if _is_platform(seen) else _ILL(seen)
        return self.fake(seen)


def _is_platform(seen: Seen) -> bool:
    return seen.path in {"/messages", "/v1/message"}


_ILL = FakeTwilio((503, 20500, "ill"))


def clickatell(name: str, web: FakeWeb, more: str = "") -> str:
    return f"""
[outlets.{name}]
kind = "clickatell"
url = "{web.url}"
key = "the-key=="
breaker_s = 0.1
breaker_failures = 1
{more}
[outlets.{name}.retry]
schedule_s = [0.05]
jitter = 0
throttled_s = 0.1
"""


def twilio(name: str, web: FakeWeb, more: str = "") -> str:
    return f"""
[outlets.{name}]
kind = "twilio"
url = "{web.url}"
account_sid = "{SID}"
auth_token = "{TOKEN}"
breaker_s = 0.1
breaker_failures = 1
{more}
[outlets.{name}.retry]
schedule_s = [0.05]
jitter = 0
"""


def route(to: str, *outlets: str) -> str:
    listed = ", ".join(f'"{one}"' for one in outlets)
    return f'\n[[routes]]\nto = ["{to}"]\noutlets = [{listed}]\n'


def post(gateway: RunningGateway, to: str, text: str = "Hello", count: int = 1) -> list[int]:
    """Submit by the native API; the ids."""
    assert gateway.http is not None
    host, port = gateway.http
    body = [{"from": "Shop", "to": to, "text": text}] * count
    answer = httpx2.post(
        f"http://{host}:{port}/v1/messages", json=body, auth=("demo", "demo"), trust_env=False
    )
    assert answer.status_code == 202, answer.text
    return [int(one["id"]) for one in answer.json()["messages"]]


def call(gateway: RunningGateway, path: str, **more: object) -> httpx2.Response:
    """A request of a service to the gateway."""
    assert gateway.http is not None
    host, port = gateway.http
    url = f"http://{host}:{port}{path}"
    return httpx2.post(url, trust_env=False, **more)  # type: ignore[arg-type]  # by name


def until(gateway: RunningGateway, id_: int, state: State) -> None:
    gateway.wait_until(
        lambda: (
            (progress := gateway.gateway.store.progress(id_)) is not None  # type: ignore[arg-type]
            and progress.state is state
        ),
        f"{id_} {state!r}",
    )


def facts_of(gateway: RunningGateway) -> dict[str, Any]:
    return dict(gateway.call(gateway.gateway.pulse.health).facts)


def test_several_services_and_a_carrier_take_over_from_each_other(
    start_gateway: StartGateway,
) -> None:
    """Priorities, fail-over and prefixes as SMSHub has them, with an SMPP link among them."""
    first, second = Switch(FakePlatform()), Switch(FakeTwilio())
    carrier = start_gateway(
        '[accounts.gw]\npassword = "gwpass"\n'
        '[outlets.sim]\nkind = "simulator"\ndelay_s = 0.0\n[[routes]]\noutlets = ["sim"]\n',
        name="carrier",
    )
    with serving_aside(first) as one, serving_aside(second) as two:
        gateway = start_gateway(
            ACCOUNT
            + HTTP
            + clickatell("first", one)
            + twilio("second", two)
            + f"""
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {carrier.port}
system_id = "gw"
password = "gwpass"
reconnect_s = 0.05
"""
            + route("43", "carrier", "first")
            + route("41", "first", "second", "carrier")
        )
        gateway.wait_until(lambda: all(o.is_up for o in gateway.gateway.outlets.values()))

        def went(to: str, final: State = State.ACCEPTED) -> str:
            (id_,) = post(gateway, to)
            until(gateway, id_, final)
            return str(gateway.message(id_)[1].outlet)

        assert went("41791234567") == "first"
        assert went("43664123456", State.DELIVERED) == "carrier", "by its prefix"
        first.mode = "ill"
        assert went("41791234567") == "second"
        second.mode = "ill"
        assert went("41791234567", State.DELIVERED) == "carrier"
        second.mode = "well"
        gateway.wait_until(lambda: gateway.gateway.outlets["second"].is_up)  # type: ignore[index]
        assert went("41791234567") == "second"
        first.mode = "well"
        gateway.wait_until(lambda: gateway.gateway.outlets["first"].is_up)  # type: ignore[index]
        assert went("41791234567") == "first", "the first choice is back"
        carrier.kill()
        gateway.wait_until(lambda: not gateway.gateway.outlets["carrier"].is_up)  # type: ignore[index]
        assert went("43664123456") == "first"


def test_credentials_that_are_wrong_raise_an_alarm_and_others_take_over(
    start_gateway: StartGateway,
) -> None:
    with serving_aside(FakePlatform()) as one, serving_aside(FakeTwilio()) as two:
        wrong = clickatell("first", one).replace("the-key==", "wrong")
        gateway = start_gateway(
            ACCOUNT + HTTP + wrong + twilio("second", two) + route("41", "first", "second")
        )
        gateway.wait_until(lambda: all(o.is_up for o in gateway.gateway.outlets.values()))
        for id_ in post(gateway, "41791234567", count=5):
            until(gateway, id_, State.ACCEPTED)
            assert gateway.message(id_)[1].outlet == "second"
        assert len(gateway.log.named("connector.stopped")) == 1
        assert facts_of(gateway)["outlets_down"] == ["first"]


def test_receipts_come_in_by_http_and_the_path_is_the_secret(start_gateway: StartGateway) -> None:
    with serving_aside(FakePlatform()) as web:
        more = f'receipts_path = "{PATH}"\npublic_url = "https://gw.example"\n'
        gateway = start_gateway(
            ACCOUNT + HTTP + clickatell("online", web, more) + route("41", "online")
        )
        (id_,) = post(gateway, "41791234567")
        until(gateway, id_, State.ENROUTE)
        upstream_id = gateway.message(id_)[1].upstream_ids[0]
        body = platform_callback(upstream_id, 5)
        assert call(gateway, "/receipts/guessed", content=body).status_code == 404
        assert call(gateway, PATH, content=b"?").status_code == 400
        assert gateway.message(id_)[1].state is State.ENROUTE
        assert call(gateway, PATH, content=body).status_code == 200
        assert gateway.message(id_)[1].state is State.DELIVERED, "on disk before it is answered"
        assert call(gateway, PATH, content=body).status_code == 200, "a repeated one is harmless"
        assert PATH not in str(gateway.log.entries)


def test_a_receipt_before_the_answer_waits_for_it(start_gateway: StartGateway) -> None:
    gateways: list[RunningGateway] = []
    fake = FakePlatform()

    def answer(seen: Seen) -> Answer:
        said = fake(seen)
        body = platform_callback(f"{1:032x}", 5)
        assert call(gateways[0], PATH, content=body).status_code == 200
        return said

    with serving_aside(answer) as web:
        more = f'receipts_path = "{PATH}"\npublic_url = "https://gw.example"\n'
        gateways.append(
            start_gateway(ACCOUNT + HTTP + clickatell("online", web, more) + route("41", "online"))
        )
        (id_,) = post(gateways[0], "41791234567")
        until(gateways[0], id_, State.DELIVERED)


def test_a_handsets_message_reaches_its_account(start_gateway: StartGateway) -> None:
    with serving_aside(FakeTwilio()) as web:
        more = f'receipts_path = "{PATH}"\npublic_url = "https://gw.example"\n'
        gateway = start_gateway(
            ACCOUNT
            + HTTP
            + twilio("online", web, more)
            + route("41", "online")
            + '[[mo_routes]]\nto = ["12345"]\naccount = "demo"\n'
        )
        fields = {"MessageSid": "SM1", "From": "+41791234567", "To": "12345", "Body": "hé"}
        signature = sign(f"https://gw.example{PATH}", fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        stranger = {**headers, "X-Twilio-Signature": sign("https://other.example", fields)}
        gateway.wait_until(lambda: gateway.gateway.outlets["online"].is_up)  # type: ignore[index]
        assert call(gateway, PATH, content=form(fields), headers=stranger).status_code == 403
        assert gateway.gateway.inbound.received == 0
        told = {**headers, "X-Twilio-Signature": signature}
        answer = call(gateway, PATH, content=form(fields), headers=told)
        assert (answer.status_code, answer.text) == (200, "<Response/>")
        assert gateway.gateway.inbound.received == 1


# --- doubt ----------------------------------------------------------------------------------------


def test_what_a_service_may_have_is_held_and_a_restart_changes_nothing(
    start_gateway: StartGateway,
) -> None:
    service = Switch(FakePlatform(), "hang")
    with serving_aside(service) as web:
        more = 'ambiguous = "hold"\nconcurrency = 3\n'
        toml = ACCOUNT + HTTP + clickatell("online", web, more) + route("41", "online")
        gateway = start_gateway(toml)
        ids = post(gateway, "41791234567", count=10)
        gateway.wait_until(lambda: web.open == 3)
        gateway.kill()
        service.mode = "well"
        again = start_gateway(toml)
        again.wait_until(lambda: not again.gateway.pulse.is_restoring)
        states = {}

        def are_settled() -> bool:
            for id_ in ids:
                progress = again.gateway.store.progress(id_)  # type: ignore[arg-type]
                assert progress is not None
                states[id_] = progress.state
            return list(states.values()).count(State.ACCEPTED) == 7

        again.wait_until(are_settled)
        held = [id_ for id_, state in states.items() if state is State.HELD]
        assert len(held) == 3, "as many as were under way, and no more"
        assert facts_of(again)["held"] == {"online": 3}
        assert len(web.seen) == 3 + 7, "none was sent twice"
        assert again.call(lambda: again.gateway.outlet_desk.control("online", "resend")) is None
        for id_ in held:
            until(again, id_, State.ACCEPTED)
        assert len(web.seen) == 13


def test_with_resend_a_crash_repeats_no_more_than_were_under_way(
    start_gateway: StartGateway,
) -> None:
    service = Switch(FakePlatform(), "hang")
    with serving_aside(service) as web:
        toml = (
            ACCOUNT + HTTP + clickatell("online", web, "concurrency = 3\n") + route("41", "online")
        )
        gateway = start_gateway(toml)
        ids = post(gateway, "41791234567", count=10)
        gateway.wait_until(lambda: web.open == 3)
        gateway.kill()
        service.mode = "well"
        again = start_gateway(toml)
        for id_ in ids:
            until(again, id_, State.ACCEPTED)
        assert len(web.seen) == 13


def test_time_outs_behind_the_request_are_counted_and_visible(start_gateway: StartGateway) -> None:
    with serving_aside(Switch(FakePlatform(), "hang")) as web:
        more = 'ambiguous = "hold"\nread_timeout_s = 0.1\n'
        gateway = start_gateway(
            ACCOUNT + HTTP + clickatell("online", web, more) + route("41", "online")
        )
        (id_,) = post(gateway, "41791234567")
        gateway.wait_until(lambda: gateway.gateway.pulse.health().facts["held"] == {"online": 1})
        assert gateway.message(id_)[1].state is State.HELD
        online = facts_of(gateway)["outlets"]["online"]
        assert (online["unanswered"], online["held"], online["breaker_opened"]) == (1, 1, 1)
        assert gateway.call(lambda: gateway.gateway.outlet_desk.control("online", "fail")) is None
        until(gateway, id_, State.UNDELIVERABLE)


def test_ends_that_must_be_asked_for_are_asked_for_after_a_restart(
    start_gateway: StartGateway,
) -> None:
    fake = FakeClassic()
    with serving_aside(fake) as web:
        toml = (
            ACCOUNT
            + HTTP
            + f"""
[outlets.online]
kind = "clickatell"
api = "classic"
url = "{web.url}"
api_id = "{LOGIN["api_id"]}"
user = "{LOGIN["user"]}"
password = "{LOGIN["password"]}"
poll_s = 0.05
"""
            + route("41", "online")
        )
        gateway = start_gateway(toml)
        (id_,) = post(gateway, "41791234567")
        until(gateway, id_, State.ENROUTE)
        gateway.kill()
        fake.statuses[f"{1:032x}"] = "004"
        until(start_gateway(toml), id_, State.DELIVERED)


# --- isolation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hang", "ill"])
def test_a_dead_service_does_not_hold_up_a_live_one(start_gateway: StartGateway, mode: str) -> None:
    with ExitStack() as stack:
        dead = stack.enter_context(serving_aside(Switch(FakePlatform(), mode)))
        live = stack.enter_context(serving_aside(FakePlatform()))
        gateway = start_gateway(
            ACCOUNT
            + HTTP
            + clickatell("dead", dead)
            + clickatell("live", live)
            + route("43", "dead")
            + route("41", "live")
        )
        stuck = post(gateway, "43664123456", count=100)
        fine = post(gateway, "41791234567", count=100)
        for id_ in fine:
            until(gateway, id_, State.ACCEPTED)
        assert all(gateway.message(id_)[1].state is State.QUEUED for id_ in stuck)


# --- reloads --------------------------------------------------------------------------------------


def test_a_reload_swaps_services_and_moves_the_path_they_call(tmp_path: Path) -> None:
    """The old connector answers what it has; its messages' receipts find the new one's path."""
    old_path, new_path = PATH, "/receipts/another-Zk2mXr5G"

    def toml(web: FakeWeb, path: str) -> str:
        more = f'receipts_path = "{path}"\npublic_url = "https://gw.example"\n'
        return ACCOUNT + clickatell("online", web, more) + route("41", "online")

    others = FakePlatform(taken=[{}])  # its ids are others
    with serving_aside(FakePlatform()) as one, serving_aside(others) as two:
        gateway = ReloadableGateway(tmp_path, toml(one, old_path), HEAD + HTTP)
        try:
            (id_,) = post(gateway, "41791234567")
            until(gateway, id_, State.ENROUTE)
            gateway.take(toml(two, new_path))
            (later,) = post(gateway, "41791234567")
            until(gateway, later, State.ENROUTE)
            assert (len(one.seen), len(two.seen)) == (1, 1)
            body = platform_callback(gateway.message(id_)[1].upstream_ids[0], 5)
            assert call(gateway, old_path, content=body).status_code == 404
            assert call(gateway, new_path, content=body).status_code == 200
            assert gateway.message(id_)[1].state is State.DELIVERED
        finally:
            gateway.kill()


def test_a_connector_that_comes_by_a_reload_asks_for_what_the_one_before_it_sent(
    tmp_path: Path,
) -> None:
    fake = FakeClassic()
    with serving_aside(fake) as web:

        def toml(concurrency: int) -> str:
            return (
                ACCOUNT
                + f"""
[outlets.online]
kind = "clickatell"
api = "classic"
url = "{web.url}"
api_id = "{LOGIN["api_id"]}"
user = "{LOGIN["user"]}"
password = "{LOGIN["password"]}"
poll_s = 0.05
concurrency = {concurrency}
"""
                + route("41", "online")
            )

        gateway = ReloadableGateway(tmp_path, toml(5), HEAD + HTTP)
        try:
            (id_,) = post(gateway, "41791234567")
            until(gateway, id_, State.ENROUTE)
            gateway.take(toml(6))
            fake.statuses[f"{1:032x}"] = "004"
            until(gateway, id_, State.DELIVERED)
        finally:
            gateway.kill()
