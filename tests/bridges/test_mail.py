"""The mail bridge against a real SMTP server: what arrives, and what its troubles cost."""

import smtplib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bridges import smtp_connection
from bridges.mail import Mail
from smsc import logs
from smsc.callback_desk import CallbackBridge
from smsc.config_errors import Secret
from smsc.config_mail import MailConfig
from smsc.message import Delivery, Mailbox, MessageId
from smsc.ports import Done, SetAside
from tests.fakes.certificates import Authority
from tests.fakes.delivery import a_delivery
from tests.fakes.house import eventually
from tests.fakes.log import FakeLog
from tests.fakes.mail_server import CUT, MailServer, Start
from tests.fakes.mailboxes import Parked
from tests.flow.house import FAR_MS, House

BOX = Mailbox("mail:demo")
FIRST, SECOND = MessageId(1), MessageId(2)
SENDER = "sms@gw.example"


def a_mail(number: int, text: str = "secret words", to: str = "shop@example.org") -> Delivery:
    """One as the flow parks it."""
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{number}@gw.example>"
    mail["To"] = to
    mail.set_content(text)
    return a_delivery(
        number, mailbox=BOX, kind="mo", body=mail.as_bytes(), callback_url=f"mailto:{to}"
    )


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[MailServer] = []

    def start(*args: Any, **settings: Any) -> MailServer:
        server = MailServer(*args, **settings)
        running.append(server)
        server.start()
        return server

    yield start
    for one in running:
        one.stop()


def settings_of(server: MailServer, **changes: Any) -> MailConfig:
    facts: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "security": "none"}
    return MailConfig(**(facts | {"sender": SENDER, "timeout_s": 5.0} | changes))


@attrs.define
class Mailing:
    """The bridge, its log, and the settings that it is given."""

    mail: Mail
    log: FakeLog
    config: MailConfig | None

    def row(self) -> dict[str, object]:
        return dict(self.mail.statistics()[BOX])


@asynccontextmanager
async def mailing(
    parked: Parked, config: MailConfig | None, **pace: float
) -> AsyncIterator[Mailing]:
    log = FakeLog()
    first = {"first_pause_s": 0.005, "first_delay_s": 0.005, "seed": 1}
    mail = Mail(parked, lambda: one.config, log.log, **(first | pace))  # type: ignore[arg-type]
    one = Mailing(mail, log, config)
    bridge: CallbackBridge = mail  # mypy proves it
    bridge.open(BOX)
    bridge.open(BOX)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mail.run)
        nursery.start_soon(parked.tick)
        yield one
        nursery.cancel_scope.cancel()
    assert set(log.events) <= set(logs.EVENTS)
    assert not log.named("mail.broke")
    assert "secret" not in str(log.entries)
    assert "hush" not in str(log.entries)


async def test_a_mail_arrives_as_it_was_written(start: Start) -> None:
    server = start()
    parked = Parked([a_mail(1), a_mail(2, ".\n..\nGrüezi\n", "other@example.org")])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: parked.done == [1, 2])
        assert one.row() == {"in_flight": 0, "last_failure": ""}
        assert one.log.events == ["mail.sent", "mail.sent"]
    first, second = server.taken
    assert (first.sender, first.to, first.octets) == (
        SENDER,
        ["shop@example.org"],
        a_mail(1).body,
    )
    assert first.mail["Message-ID"] == "<1@gw.example>"
    assert (second.to, second.text) == (["other@example.org"], ".\n..\nGrüezi")
    assert server.connections == 1, "it is kept"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_with_a_login(start: Start, tmp_path: Path, security: str) -> None:
    authority = Authority(tmp_path)
    server = start(authority.issue("server"), is_implicit=security == "tls", logins={"gw": "hush"})
    parked = Parked([a_mail(1)])
    config = settings_of(
        server,
        host="localhost",
        security=security,
        ca_file=authority.cert,
        user="gw",
        password=Secret("hush"),
    )
    async with mailing(parked, config):
        await eventually(lambda: parked.done == [1])
    (arrived,) = server.taken
    assert arrived.is_tls
    assert arrived.login == "gw"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"password": Secret("hushed up")}, "535"),
        ({"user": "", "password": Secret("")}, "530"),
        ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"security": "tls"}, "SSL"),
        ({"security": "none"}, "AUTH"),
    ],
)
async def test_a_server_that_is_not_to_be_trusted_or_does_not_trust_us_gets_nothing(
    start: Start, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    authority = Authority(tmp_path)
    server = start(authority.issue("server"), logins={"gw": "hush"})
    parked = Parked([a_mail(1)])
    right = settings_of(
        server,
        host="localhost",
        security="starttls",
        ca_file=authority.cert,
        user="gw",
        password=Secret("hush"),
    )
    async with mailing(parked, attrs.evolve(right, **change)) as one:
        await eventually(lambda: why in str(one.row()["last_failure"]))
        assert parked.outcomes == []
        assert server.arrived == []
        one.config = right
        await eventually(lambda: parked.done == [1], "once the settings are right")
        assert one.log.events == ["mail.down", "mail.up", "mail.sent"]


async def test_another_name_than_that_of_the_certificate_is_refused(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.certificates._SERVER", "subjectAltName=DNS:else.example")
    authority = Authority(tmp_path)
    server = start(authority.issue("server"))
    config = settings_of(server, host="localhost", security="starttls", ca_file=authority.cert)
    parked = Parked([a_mail(1)])
    async with mailing(parked, config) as one:
        await eventually(lambda: "Hostname mismatch" in str(one.row()["last_failure"]))
        assert server.arrived == []


async def test_no_starttls_is_no_mail(start: Start) -> None:
    server = start()
    parked = Parked([a_mail(1)])
    async with mailing(parked, settings_of(server, security="starttls")) as one:
        await eventually(lambda: "STARTTLS" in str(one.row()["last_failure"]))
        assert server.arrived == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_not_now_is_tried_again_and_others_pass(start: Start, command: str) -> None:
    server = start()
    server.answers[command] += ["451 4.7.1 greylisted\x07", "450 4.2.0 mailbox busy"]
    parked = Parked([a_mail(1), a_mail(2), a_mail(3)])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: sorted(parked.done) == [1, 2, 3])
        assert parked.done[0] == 3, "the server is well, so it got the others meanwhile"
        assert [(again.id, again.why) for again in parked.again] == [
            (1, "451 4.7.1 greylisted?"),
            (2, "450 4.2.0 mailbox busy"),
        ]
        assert "mail.down" not in one.log.events
        assert one.log.events.count("mail.deferred") == 2
        assert one.row() == {"in_flight": 0, "last_failure": ""}
    assert len(server.taken) == 3


async def test_each_refusal_doubles_the_delay(start: Start) -> None:
    server = start()
    server.answers["RCPT"] += ["450 no"] * 20
    parked = Parked([a_mail(1)])
    async with mailing(parked, settings_of(server), first_delay_s=30.0):
        await eventually(lambda: parked.done == [1])
    assert [again.delay_s for again in parked.again[:7]] == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_never_sets_aside_with_the_servers_words(start: Start, command: str) -> None:
    server = start()
    server.answers[command] += ["550 5.1.1 no such mailbox"]
    parked = Parked([a_mail(1), a_mail(2)])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: len(parked.outcomes) == 2)
        assert "mail.down" not in one.log.events
    assert parked.outcomes == [SetAside(FIRST, "550 5.1.1 no such mailbox"), Done(SECOND)]


async def test_a_mail_that_is_too_large_for_the_server_is_that_mails_fault(start: Start) -> None:
    server = start()
    server.answers["MAIL"] += ["552 5.3.4 too large"]
    parked = Parked([a_mail(1), a_mail(2)])
    async with mailing(parked, settings_of(server)):
        await eventually(lambda: len(parked.outcomes) == 2)
    assert parked.outcomes == [SetAside(FIRST, "552 5.3.4 too large"), Done(SECOND)]


@pytest.mark.parametrize("answer", ["553 5.7.1 sender refused", "451 4.3.0 out of order"])
async def test_a_sender_that_the_server_refuses_holds_all_back(start: Start, answer: str) -> None:
    server = start()
    server.answers["MAIL"] += [answer] * 3
    parked = Parked([a_mail(1), a_mail(2)])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: len(parked.outcomes) == 2)
        assert one.log.events == ["mail.down", "mail.up", "mail.sent", "mail.sent"]
        assert one.log.named("mail.down")[0]["why"] == f"{SENDER}: {answer}"
    assert sorted(parked.done) == [1, 2]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_closes_is_dialled_again(start: Start, command: str) -> None:
    server = start()
    server.answers[command] += ["421 4.3.2 shutting down", "421 4.3.2 shutting down"]
    parked = Parked([a_mail(1), a_mail(2)])
    async with mailing(parked, settings_of(server)):
        await eventually(lambda: sorted(parked.done) == [1, 2])
    assert len(server.taken) == 2
    assert all(again.delay_s == 0 for again in parked.again), "the server's trouble, not the mail's"


async def test_a_server_that_is_down_is_told_once_and_gets_all_when_it_is_up(
    start: Start,
) -> None:
    server = start()
    server.stop()
    parked = Parked([a_mail(number) for number in range(1, 21)])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: one.mail._backoff._failures >= 3, "several attempts")
        assert parked.outcomes == []
        assert one.mail.is_up is False
        assert one.row()["in_flight"] == 0, "a stop of the gateway has nothing to wait for"
        assert "refused" in str(one.row()["last_failure"])
        assert len(parked.again) <= 5, "one round for each outage, not for each attempt"
        server.start()
        await eventually(lambda: sorted(parked.done) == [*range(1, 21)])
        assert one.log.events.count("mail.down") == one.log.events.count("mail.up") == 1
        assert one.row()["last_failure"] == ""
    assert len(server.taken) == 20


async def test_a_retry_by_people_dials_at_once(start: Start) -> None:
    server = start()
    server.stop()
    parked = Parked([a_mail(1)])
    async with mailing(parked, settings_of(server), first_pause_s=3600.0) as one:
        await eventually(lambda: "mail.down" in one.log.events)
        server.start()
        one.mail.forgive(BOX)
        await eventually(lambda: parked.done == [1])


async def test_a_cut_in_the_middle_repeats_the_mail_with_its_message_id(start: Start) -> None:
    server = start()
    server.answers["DATA"] += [CUT]
    parked = Parked([a_mail(1), a_mail(2)])
    async with mailing(parked, settings_of(server)):
        await eventually(lambda: sorted(parked.done) == [1, 2])
        (again, *_) = parked.again
        assert again.id == 1
        assert again.delay_s > 0, "if it was the mail, others pass it"
    read = [one.mail["Message-ID"] for one in server.arrived]
    assert sorted(read) == ["<1@gw.example>", "<1@gw.example>", "<2@gw.example>"]
    assert server.arrived[0].octets == a_mail(1).body


async def test_a_kept_connection_that_ended_meanwhile_is_no_outage(start: Start) -> None:
    server = start()
    parked = Parked([a_mail(1)])
    async with mailing(parked, settings_of(server)) as one:
        await eventually(lambda: parked.done == [1])
        server.stop()
        server.start()
        parked.waiting.append(a_mail(2))
        await eventually(lambda: parked.done == [1, 2])
        assert one.log.events == ["mail.sent", "mail.sent"]
        assert parked.again == []


async def test_an_idle_connection_is_ended_politely_and_the_next_mail_dials(start: Start) -> None:
    server = start()
    parked = Parked([a_mail(1)])
    async with mailing(parked, settings_of(server), idle_s=0.0) as one:
        await eventually(lambda: parked.done == [1] and one.mail._connection is None)
        before = server.connections
        parked.waiting.append(a_mail(2))
        await eventually(lambda: parked.done == [1, 2])
        assert server.connections == before + 1
        assert one.log.events == ["mail.sent", "mail.sent"]


async def test_a_server_that_says_nothing_is_left_after_the_timeout() -> None:
    listener = trio.socket.socket()
    await listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = MailConfig(
        host="127.0.0.1",
        port=listener.getsockname()[1],
        security="none",
        sender=SENDER,
        timeout_s=0.1,
    )
    parked = Parked([a_mail(1)])
    async with mailing(parked, config) as one:
        await eventually(lambda: "timed out" in str(one.row()["last_failure"]))
        assert [(one.id, one.delay_s) for one in parked.again] == [(1, 0.0)]
    listener.close()


async def test_an_end_in_the_midst_of_a_mail_does_not_wait_for_the_server(
    nursery: trio.Nursery,
) -> None:
    reached = trio.Event()

    async def says_nothing_after_data(stream: trio.SocketStream) -> None:
        await stream.send_all(b"220 well\r\n")
        async for octets in stream:
            is_data = octets.startswith(b"data")
            await stream.send_all(b"354 go on\r\n" if is_data else b"250 well\r\n")
            if is_data:
                reached.set()
                await trio.sleep_forever()

    listeners = await nursery.start(
        partial(trio.serve_tcp, says_nothing_after_data, 0, host="127.0.0.1")
    )
    config = MailConfig(
        host="127.0.0.1",
        port=listeners[0].socket.getsockname()[1],
        security="none",
        sender=SENDER,
        timeout_s=600.0,
    )
    parked = Parked([a_mail(1)])
    with trio.fail_after(10):
        async with mailing(parked, config):
            await reached.wait()
    assert parked.outcomes == []
    assert [one.id for one in parked.waiting] == [1], "it is given back"
    nursery.cancel_scope.cancel()


async def test_without_a_section_mails_wait_and_leave_when_it_is_there(start: Start) -> None:
    server = start()
    parked = Parked([a_mail(1)])
    async with mailing(parked, None) as one:
        await eventually(lambda: parked.receiver is not None)
        assert one.row() == {
            "in_flight": 0,
            "last_failure": "the configuration has no section [mail]",
        }
        one.config = settings_of(server)
        await eventually(lambda: parked.done == [1])
        other = MailServer()
        other.start()
        one.config = settings_of(other)
        parked.waiting.append(a_mail(2))
        await eventually(lambda: parked.done == [1, 2])
        assert len(other.taken) == 1
        other.stop()
        one.config = None
        parked.waiting.append(a_mail(3))
        parked.offer()
        assert [delivery.id for delivery in parked.waiting] == [3]


async def test_an_account_with_many_mails_keeps_no_other_waiting(start: Start) -> None:
    server, house, log = start(), House(), FakeLog()
    boxes = [Mailbox("mail:a")] * 30 + [Mailbox("mail:b")]
    batch = house.store.batch()
    ids = house.store.ids.take(len(boxes), house.now_ms)
    for id_, box in zip(ids, boxes, strict=True):
        batch.park(attrs.evolve(a_mail(id_), mailbox=box, expires_ms=FAR_MS))
    house.store.commit_nowait(batch)
    house.commit()
    house.mailboxes.arrived(house.parked(Mailbox("mail:a")) + house.parked(Mailbox("mail:b")))
    config = settings_of(server)
    mail = Mail(house.mailboxes, lambda: config, log.log)
    async with trio.open_nursery() as nursery:
        mail.open(Mailbox("mail:a"))
        nursery.start_soon(mail.run)
        mail.open(Mailbox("mail:b"))
        await eventually(lambda: house.mailboxes.delivered_count == len(boxes))
        nursery.cancel_scope.cancel()
    house.commit()
    order = [one.mail["Message-ID"] for one in server.taken]
    assert order.index(f"<{ids[-1]}@gw.example>") <= 5
    assert house.store.mailboxes() == []


async def test_what_is_no_mail_is_set_aside(start: Start) -> None:
    server = start()
    parked = Parked([a_delivery(1, mailbox=BOX), a_delivery(2, callback_url=None), a_mail(3)])
    async with mailing(parked, settings_of(server)):
        await eventually(lambda: len(parked.outcomes) == 3)
    why = "it is no mail that could be sent"
    assert parked.outcomes == [SetAside(FIRST, why), SetAside(SECOND, why), Done(MessageId(3))]


async def test_a_bug_in_one_mail_does_not_end_the_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    sendmail = smtplib.SMTP.sendmail
    calls: list[int] = []

    def once_broken(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("a bug")
        return sendmail(*args, **kwargs)

    monkeypatch.setattr(smtplib.SMTP, "sendmail", once_broken)
    parked = Parked([a_mail(1), a_mail(2)])
    log = FakeLog()
    config = settings_of(server)
    mail = Mail(parked, lambda: config, log.log)  # type: ignore[arg-type]
    mail.open(BOX)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mail.run)
        await eventually(lambda: len(parked.outcomes) == 2)
        nursery.cancel_scope.cancel()
    assert [type(one) for one in parked.outcomes] == [SetAside, Done]
    assert log.events == ["mail.broke", "mail.sent"]


def test_what_a_code_means() -> None:
    verdict = smtp_connection._verdict
    assert verdict(450, b"x") == smtp_connection.Later("450 x")
    assert verdict(550, "x") == smtp_connection.Never("550 x")
    for code in (421, 354, -1, 600):
        assert verdict(code, b"x") == smtp_connection.Trouble(f"{code} x")
    assert verdict(550, b"a\r\nb \xff\0" + b"x" * 1000).why == "550 a b \ufffd?" + "x" * 190
