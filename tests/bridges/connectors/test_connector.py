"""The driver of connectors over real sockets: what each ending of an attempt leads to."""

import time

import pytest
import trio
import trio.testing

from bridges import REGISTRY
from bridges.connectors.exchange import ANSWER_OCTETS
from bridges.connectors.kinds import OvhConfig
from bridges.connectors.template_settings import TemplateConfig
from bridges.connectors.template_text import parse_fields, parse_text
from pdu.status import Status
from smsc.config import Config, load
from smsc.config_errors import Secret
from smsc.ports import Failed, Held, Outcome, Sent, TryLater
from tests.fakes.house import eventually
from tests.fakes.services.aql import FakeV1, FakeV2
from tests.fakes.services.clickatell import FakeClassic, FakePlatform
from tests.fakes.services.ovh import AK, AS, CK, SERVICE, FakeHttp2Sms, FakeRest
from tests.fakes.services.running import clickatell, driving, running
from tests.fakes.services.sms import outgoing_of
from tests.fakes.services.twilio import SID, TOKEN, FakeTwilio
from tests.fakes.services.web import Answer, Cut, Handler, Hang, Say, Seen, serving

SYSERR = int(Status.ESME_RSYSERR)


def kinds_of(outcomes: list[Outcome]) -> set[type]:
    return {type(one) for one in outcomes}


# --- messages -------------------------------------------------------------------------------------


async def test_a_message_is_sent_and_its_id_told() -> None:
    fake = FakePlatform()
    async with running(fake) as house:
        assert await house.outcome(7) == Sent(7, f"{1:032x}")  # type: ignore[arg-type]
        assert fake.taken[0]["content"] == "Hello"
        assert (house.fact("sent"), house.fact("accepted")) == (1, 1)


EVERY: list[tuple[str, str, Handler]] = [
    ("clickatell", 'key = "the-key=="', FakePlatform()),
    ("clickatell", 'api = "one"\nkey = "the-key=="', FakePlatform()),
    (
        "clickatell",
        'api = "classic"\napi_id = "3442"\nuser = "bob"\npassword = "p&ss"',
        FakeClassic(),
    ),
    ("aql", 'username = "bob"\npassword = "pw"', FakeV1()),
    ("aql", 'api = "v2"\ntoken = "tok"', FakeV2()),
    (
        "ovh",
        (
            f'account = "{SERVICE}"\napplication_key = "{AK}"\napplication_secret = "{AS}"\n'
            f'consumer_key = "{CK}"'
        ),
        FakeRest(),
    ),
    (
        "ovh",
        f'api = "http2sms"\naccount = "{SERVICE}"\nlogin = "user"\npassword = "pw"',
        FakeHttp2Sms(),
    ),
    ("twilio", f'account_sid = "{SID}"\nauth_token = "{TOKEN}"', FakeTwilio()),
    (
        "mpulse",
        'success.pattern = "^OK"\nanswer.id = "regex:^OK (.+)"',
        lambda _: Say(200, b"OK 7"),
    ),
    ("template", 'form.to = "{to}"', lambda _: Say(200, b"fine")),
]


@pytest.mark.parametrize(("kind", "settings", "fake"), EVERY)
async def test_every_kind_sends_over_a_socket(kind: str, settings: str, fake: Handler) -> None:
    async with serving(fake) as web:
        url = web.url
        if isinstance(fake, FakeRest):
            fake.base, fake.clock, url = web.url, int(time.time()) + 7200, f"{web.url}/1.0"
        known = {name: one.config for name, one in REGISTRY.items()}
        config = load(f'[outlets.x]\nkind = "{kind}"\nurl = "{url}"\n{settings}\n', known, {})
        assert isinstance(config, Config), config
        async with driving(kind, config.outlets["x"].settings, web) as house:
            assert type(await house.outcome(1, text="Grüezi ы")) is Sent
            assert type(await house.outcome(2)) is Sent
            assert web.connections == 1


async def test_connections_are_pooled() -> None:
    async with running(FakePlatform(), concurrency=3) as house:
        for id_ in range(12):
            await house.outcome(id_)
        assert house.web.connections == 1


async def test_no_more_than_concurrency_at_a_time() -> None:
    async with running(FakePlatform(), concurrency=4, delay_s=0.02) as house:
        assert house.outlet.room() == 4
        house.send(*range(4))
        assert house.outlet.room() == 0
        await house.outcomes(4)
        assert house.web.most_open == 4
        assert house.web.connections == 4
        assert house.outlet.room() == 4
        assert kinds_of(house.flow.outcomes) == {Sent}


async def test_a_rate_is_kept_and_room_told_when_there_is_some_again() -> None:
    async with running(FakePlatform(), rate=4.0) as house:
        assert await house.outcome(1)
        told = house.flow.room_told
        assert house.outlet.room() == 0
        await eventually(lambda: house.flow.room_told > told)
        await eventually(lambda: house.outlet.room() > 0)


async def test_what_the_service_cannot_carry_fails_at_once() -> None:
    async with running(FakePlatform()) as house:
        octets = outgoing_of()
        octets.message.body = octets.message.body.replace(b"\0\0\5Hello", b"\4\0\5Hello")
        assert octets.message.peek.data_coding == 4
        house.outlet.send([octets])
        assert await house.outcomes() == [Failed(7, Status.ESME_RINVDCS)]  # type: ignore[arg-type]
        assert house.web.seen == []
        assert house.outlet.room() == 10


async def test_a_request_that_http_cannot_say_fails_for_good() -> None:
    async with serving(lambda _: Say()) as web:
        config = TemplateConfig(
            url=parse_text(f"{web.url}/", "url"), headers=parse_fields({"X-Text": "{text}"})
        )
        async with driving("template", config, web) as house:
            outcome = await house.outcome(1, text="a\r\nX-Evil: 1")
            assert type(outcome) is Failed
            assert web.seen == []
            assert type(await house.outcome(2, text="fine")) is Sent


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome", "count"),
    [
        (("18", "queue"), TryLater(1, SYSERR), "retried"),  # type: ignore[arg-type]
        (("25", "number"), Failed(1, Status.ESME_RINVDSTADR), "refused"),  # type: ignore[arg-type]
        (("1", "key"), TryLater(1, SYSERR), "retried"),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("ambiguous", ["resend", "hold"])
async def test_each_class_of_error(
    error: tuple[str, str], outcome: Outcome, count: str, ambiguous: str
) -> None:
    async with running(FakePlatform(error), ambiguous=ambiguous) as house:
        house.send(1)
        house.flow.release()
        assert await house.outcomes() == [outcome]
        assert house.fact(count) == 1
        assert house.fact("errors") == {error[0]: 1}
        assert house.fact("held") == 0


async def test_a_busy_service_slows_the_connector_and_says_when_to_come_back() -> None:
    def busy(_: Seen) -> Answer:
        return Say(429, b"", (("Retry-After", "1"),))

    async with running(busy) as house:
        outcome = await house.outcome()
        assert outcome == TryLater(1, Status.ESME_RTHROTTLED)  # type: ignore[arg-type]
        assert not house.outlet.is_up
        assert (house.fact("throttled"), house.fact("slowed")) == (1, True)
        assert house.fact("breaker") == "closed", "busy is not gone"
        await eventually(lambda: house.outlet.is_up)


@pytest.mark.parametrize(("ours", "outcome"), [("", Failed), ("Us", TryLater)])
async def test_a_forbidden_sender_is_the_fault_of_who_chose_it(ours: str, outcome: type) -> None:
    """The client's sender must not stop the connector for all others."""
    async with serving(FakeHttp2Sms(241, "sender not found")) as web:
        config = OvhConfig(
            api="http2sms",
            url=web.url,
            account=SERVICE,
            login="user",
            password=Secret("pw"),
            sender=ours,
        )
        async with driving("ovh", config, web) as house:
            assert type(await house.outcome()) is outcome
            assert house.outlet.is_up is not bool(ours)


# --- no answer ------------------------------------------------------------------------------------

AFTER: list[tuple[str, Answer]] = [
    ("silence", Hang()),
    ("the connection is cut", Cut()),
    ("half an answer", Cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")),
    ("no HTTP", Cut(b"\x00\x01\x02 hello\r\n\r\n")),
    ("no JSON", Say(202, b"<html>")),
    ("a gateway's time-out", Say(504, b"")),
    ("an endless answer", Say(202, b"x" * (ANSWER_OCTETS + 1))),
]


@pytest.mark.parametrize("answer", [one for _, one in AFTER], ids=[name for name, _ in AFTER])
@pytest.mark.parametrize(("ambiguous", "kind"), [("resend", TryLater), ("hold", Held)])
async def test_without_a_whole_answer_the_message_is_in_doubt(
    answer: Answer, ambiguous: str, kind: type
) -> None:
    async with running(lambda _: answer, ambiguous=ambiguous, read_timeout_s=0.1) as house:
        house.send(1)
        house.flow.release()
        assert await house.outcomes() == [kind(1, SYSERR)]
        assert house.fact("unanswered") == 1
        assert house.fact("held") == (ambiguous == "hold")
        assert len(house.web.seen) == 1


async def test_a_slow_drip_is_cut_by_the_total_time() -> None:
    """Each octet comes within the read time-out; the whole never does."""
    async with running(FakePlatform(), timeout_s=0.2, read_timeout_s=5.0, delay_s=30.0) as house:
        assert type(await house.outcome()) is TryLater
        assert house.fact("unanswered") == 1
        assert "no answer within 0.2 s" in house.log.named("connector.attempt_failed")[0]["why"]


async def test_who_does_not_listen_has_nothing_even_with_hold() -> None:
    async with running(FakePlatform(), ambiguous="hold") as house:
        port = house.web.port
    async with serving(FakePlatform()) as web:
        config = clickatell(f"http://127.0.0.1:{port}", ambiguous="hold")
        async with driving("clickatell", config, web) as house:
            house.send(1)
            house.flow.release()
            assert await house.outcomes() == [TryLater(1, SYSERR)]  # type: ignore[arg-type]
            assert (house.fact("unanswered"), house.fact("held")) == (0, 0)


async def test_a_time_out_before_the_request_leaves_no_doubt() -> None:
    """A server that accepts and never begins TLS: nothing of the request can have left."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listeners[0] as silent, serving(FakePlatform()) as web:
        url = f"https://127.0.0.1:{silent.socket.getsockname()[1]}"
        config = clickatell(url, ambiguous="hold", connect_timeout_s=0.1)
        async with driving("clickatell", config, web) as house:
            house.send(1)
            house.flow.release()
            assert await house.outcomes() == [TryLater(1, SYSERR)]  # type: ignore[arg-type]
            assert house.fact("held") == 0


async def test_with_hold_the_attempt_is_journalled_before_the_first_octet() -> None:
    async with running(FakePlatform(), ambiguous="hold") as house:
        house.send(1, 2)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert house.flow.attempts == [(1, 1), (2, 1)]
        assert house.web.seen == []
        house.flow.release()
        assert kinds_of(await house.outcomes(2)) == {Sent}


async def test_what_was_journalled_while_the_service_went_is_handed_back() -> None:
    fake = FakePlatform(("18", "down"))
    async with running(fake, ambiguous="hold", breaker_failures=1) as house:
        house.send(1)
        first, house.flow._held = house.flow._held, []
        house.send(2)
        first[0]()
        await house.outcomes(1)
        assert not house.outlet.is_up
        house.flow.release()
        assert await house.outcomes(2) == [TryLater(1, SYSERR), TryLater(2, SYSERR)]  # type: ignore[arg-type]
        assert len(house.web.seen) == 1


async def test_a_bug_in_a_service_leaves_one_message_in_doubt_and_the_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(FakePlatform(), ambiguous="hold") as house:
        service = house.outlet.sender.service  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setattr(type(service), "verdict", lambda *_: 1 / 0)
            house.send(1)
            house.flow.release()
            assert await house.outcomes(1) == [Held(1, SYSERR)]  # type: ignore[arg-type]
        assert house.log.events.count("connector.broke") == 1
        house.send(2)
        house.flow.release()
        assert type((await house.outcomes(2))[-1]) is Sent


# --- the breaker ----------------------------------------------------------------------------------


async def test_failures_in_a_row_take_it_out_and_one_success_brings_it_back() -> None:
    fake = FakePlatform(("18", "down"))
    async with running(fake, breaker_failures=3, breaker_s=0.1, concurrency=2) as house:
        for id_ in (1, 2, 3):
            assert house.outlet.is_up
            await house.outcome(id_)
        assert not house.outlet.is_up
        assert (house.outlet.room(), house.fact("breaker")) == (0, "open")
        assert house.log.events.count("connector.out") == 1
        told = house.flow.room_told
        await eventually(lambda: house.outlet.is_up and house.flow.room_told > told)
        assert house.outlet.room() == 1, "half-open: one probe"
        house.send(4)
        assert not house.outlet.is_up, "and everything else goes elsewhere meanwhile"
        await house.outcomes(4)
        assert not house.outlet.is_up
        await eventually(lambda: house.outlet.is_up)
        fake.error = None
        assert type(await house.outcome(5)) is Sent
        assert (house.fact("breaker"), house.outlet.room()) == ("closed", 2)
        assert house.log.events.count("connector.back") == 1


async def test_parts_that_wait_are_handed_back_when_it_opens() -> None:
    async with serving(lambda _: Say(500)) as web:
        config = TemplateConfig(
            url=parse_text(f"{web.url}/", "url"),
            form=parse_fields({"text": "{text}", "udh": "{udh_hex}"}),
            long_text="parts",
            concurrency=1,
            breaker_failures=1,
        )
        async with driving("template", config, web) as house:
            house.send(1, text="a" * 400)
            outcomes = await house.outcomes(3)
            assert sorted(one.part for one in outcomes) == [0, 1, 2]
            assert kinds_of(outcomes) == {TryLater}
            assert len(web.seen) == 1, "two of the parts never left"


async def test_an_error_for_people_stops_it_once_and_a_start_brings_it_back() -> None:
    fake = FakePlatform(("1", "wrong key"))
    async with running(fake, stopped_s=0.0) as house:
        house.send(1, 2, 3)
        await house.outcomes(3)
        assert not house.outlet.is_up
        assert (house.fact("state"), house.fact("why")) == ("stopped", "1: wrong key")
        assert len(house.log.named("connector.stopped")) == 1
        fake.error = None
        house.outlet.control("start")
        assert type(await house.outcome(4)) is Sent
        assert house.fact("state") == "up"


async def test_files_that_cannot_be_used_stop_it_until_people_start_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(FakePlatform()) as web:
        config = clickatell(web.url, tls_ca="/nowhere/ca.pem", stopped_s=0.0)
        async with driving("clickatell", config, web) as house:
            assert not house.outlet.is_up
            assert len(house.log.named("connector.stopped")) == 1
            tries: list[object] = []
            monkeypatch.setattr(type(house.outlet.sender), "opened", tries.append)
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert tries == [], "it waits"
            monkeypatch.undo()
            house.outlet.control("start")
            await eventually(lambda: len(house.log.named("connector.stopped")) == 2)


# --- people ---------------------------------------------------------------------------------------


async def test_a_drain_waits_for_answers_and_takes_nothing_new() -> None:
    async with running(FakePlatform(), delay_s=0.05) as house:
        house.send(1)
        house.outlet.control("drain")
        assert not house.outlet.is_up
        assert house.fact("state") == "draining"
        assert kinds_of(await house.outcomes(1)) == {Sent}
        assert house.fact("state") == "stopped"
        house.outlet.control("start")
        assert house.outlet.is_up


async def test_a_stop_hands_back_what_waits_and_keeps_what_is_under_way() -> None:
    async with serving(FakePlatform()) as web:
        web.delay_s = 0.05
        config = TemplateConfig(
            url=parse_text(f"{web.url}/messages", "url"),
            json=None,
            text=parse_text("{text}", "none"),
            long_text="parts",
            concurrency=1,
        )
        web.answer = lambda _: Say(200, b"ok")
        async with driving("template", config, web) as house:
            house.send(1, text="a" * 200)
            await eventually(lambda: web.open == 1)
            house.outlet.control("stop")
            assert house.flow.outcomes == [TryLater(1, SYSERR, 1, 2)]  # type: ignore[arg-type]
            assert not any(getattr(one, "is_answer", True) for one in house.flow.outcomes)
            assert (await house.outcomes(2))[1] == Sent(1, "", 0, 2)  # type: ignore[arg-type]
            assert house.fact("state") == "stopped"


async def test_no_secret_and_no_text_reaches_the_log() -> None:
    words = "my secret words"
    for said, shown in (
        (f"cannot send '{words}' with key the-key==", "cannot send '…' with key …"),
        ("GET /?text=my+secret+words&key=the-key%3D%3D", "GET /?text=…&key=…"),
    ):
        async with running(FakePlatform(("25", said))) as house:
            await house.outcome(text=words)
            assert house.log.named("connector.attempt_failed")[0]["why"] == shown


async def test_a_connector_that_a_bug_ends_owes_no_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BaseExceptionGroup) as bug:  # noqa: PT012 - it lives as long as the block
        async with running(FakePlatform(), delay_s=5.0, ambiguous="hold", concurrency=1) as house:
            house.send(1)
            house.flow.release()
            await eventually(lambda: house.web.open == 1)
            monkeypatch.setattr(house.outlet, "_waits", lambda _now: 1 / 0)
            house.outlet._news.set()
            await trio.sleep_forever()
    assert bug.group_contains(ZeroDivisionError)
    assert house.flow.outcomes == [Held(1, SYSERR)]  # type: ignore[arg-type]
    assert not house.outlet.is_up
