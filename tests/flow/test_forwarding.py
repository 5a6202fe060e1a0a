"""Messages for inboxes sent on, over a whole gateway: to a mail server and to a mobile."""

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from smsc.flow.inbound import text_of
from smsc.message import AccountId, Message
from smsc.ports import InboxQuery, MessageQuery, Profile
from tests.fakes.house import RunningGateway, StartGateway
from tests.fakes.mail_server import MailServer
from tests.fakes.reloadable import ReloadableGateway
from tests.flow.house import DEMO

NODE = """
[http]
listen = ["127.0.0.1:0"]
dialects = ["playsms"]
[accounts.demo]
password = "demo"
[accounts.boss]
password = "boss"
admin = true
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[[routes]]
outlets = ["sim"]
[[mo_routes]]
to = ["12345"]
account = "demo"
deliver = "inbox"
"""
MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "sms@gw.example"
"""
HANDSET = "41791234567"
BOSS = AccountId("boss")


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


def wants(node: RunningGateway, **profile: object) -> None:
    """As `smsc account set demo …`."""
    changed = node.await_(lambda: node.gateway.directory.change(DEMO, profile, DEMO))
    assert isinstance(changed, Profile), changed


def send(node: RunningGateway, text: str) -> None:
    """The handset of the simulator sends it to the account's number."""
    assert node.http is not None
    body = {"outlet": "sim", "from": HANDSET, "to": "12345", "text": text}
    request = urllib.request.Request(f"{url(node)}/v1/simulate/mo", json.dumps(body).encode())
    login = base64.b64encode(b"boss:boss").decode()
    request.add_header("Authorization", f"Basic {login}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        assert answer.status in {200, 202, 204}


def playsms(node: RunningGateway, **fields: str) -> dict[str, Any]:
    """One operation of playSMS web services, as the admin."""
    query = urllib.parse.urlencode({"app": "ws", "u": "boss", "format": "json"} | fields)
    with urllib.request.urlopen(f"{url(node)}/index.php?{query}") as answer:
        told: dict[str, Any] = json.loads(answer.read())
    assert told.get("status") != "ERR", told
    return told


def url(node: RunningGateway) -> str:
    assert node.http is not None
    return f"http://127.0.0.1:{node.http[1]}"


def kept(node: RunningGateway) -> list[str]:
    found = node.call(lambda: node.gateway.inbox.received(DEMO, InboxQuery()))
    return [one.text for one in found]


def sent(node: RunningGateway) -> list[Message]:
    """The account's message list."""
    page = node.await_(lambda: node.gateway.lookup.reports(MessageQuery(account=DEMO)))
    return [one.message for one in page.reports]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_message_of_a_handset_goes_three_ways(
    start_gateway: StartGateway, server: MailServer, is_kept: bool
) -> None:
    node = start_gateway(NODE + MAIL.format(port=server.port))
    send(node, "before")
    assert kept(node) == ["before"], "nobody asked for copies yet"
    wants(
        node,
        forward_to_inbox=is_kept,
        forward_to_email=True,
        forward_to_mobile=True,
        email="shop@example.org",
        mobile="+41 79 999 00 00",
        sender="Shop",
        time_zone="Europe/Zurich",
    )
    send(node, "Grüezi 😀")
    node.wait_until(lambda: bool(server.taken))
    (mail,) = server.taken
    assert (mail.sender, mail.to, mail.text) == (
        "sms@gw.example",
        ["shop@example.org"],
        "Grüezi 😀",
    )
    assert mail.mail["Subject"] == f"SMS from {HANDSET} to 12345"
    node.wait_until(lambda: not node.gateway.store.mailboxes(), "both copies left")
    (copy,) = sent(node)
    assert (copy.account, copy.source) == ("demo", "forward")
    peek = copy.peek
    assert (peek.source_addr, peek.destination_addr) == ("Shop", "41799990000")
    assert text_of(copy.body, peek) == f"{HANDSET}: Grüezi 😀"
    node.wait_until(lambda: node.gateway.store.progress(copy.id).state.name == "DELIVERED")  # type: ignore[union-attr]
    assert kept(node) == (["Grüezi 😀", "before"] if is_kept else ["before"])


def test_a_long_message_is_one_mail_and_one_sms(
    start_gateway: StartGateway, server: MailServer
) -> None:
    node = start_gateway(NODE + MAIL.format(port=server.port))
    wants(node, forward_to_email=True, forward_to_mobile=True, mobile="41799990000", email="a@b")
    text = "0123456789" * 40
    assert node.await_(lambda: node.gateway.http.inject_mo("sim", HANDSET, "12345", text)) is None
    node.wait_until(lambda: bool(server.taken) and not node.gateway.store.mailboxes())
    assert [one.text for one in server.taken] == [text]
    assert [text_of(one.body, one.peek) for one in sent(node)] == [f"{HANDSET}: {text}"]
    assert kept(node) == [text]


def test_admins_inject_and_accounts_write_to_each_other(
    start_gateway: StartGateway, server: MailServer
) -> None:
    node = start_gateway(NODE + MAIL.format(port=server.port))
    token = node.await_(lambda: node.gateway.directory.new_token(BOSS, BOSS))
    assert isinstance(token, str)
    wants(node, email="shop@example.org")
    for flag, value in (("inbox", "0"), ("email", "1")):
        conf = {f"data_fwd_to_{flag}": value}
        playsms(node, h=token, op="accountconf", data_username="demo", **conf)
    playsms(
        node, h=token, op="inject", recvnum="12345", msg="injected", smsc="sim", **{"from": "1"}
    )
    node.wait_until(lambda: len(server.taken) == 1)
    playsms(node, h=token, op="pv", to="@demo", msg="written")
    node.wait_until(lambda: len(server.taken) == 2)
    subjects = [(one.text, one.mail["Subject"]) for one in server.taken]
    assert subjects == [
        ("injected", "SMS from 1 to 12345"),
        ("written", "SMS from @boss to demo"),
    ]
    assert kept(node) == []
    assert sent(node) == []


def test_a_mail_waits_on_disk_for_its_server_and_arrives_after_a_restart(
    start_gateway: StartGateway, server: MailServer
) -> None:
    server.stop()
    toml = NODE + MAIL.format(port=server.port)
    node = start_gateway(toml)
    wants(node, forward_to_inbox=False, forward_to_email=True, email="shop@example.org")
    send(node, "wait for it")
    node.wait_for_event("mail.down")
    assert kept(node) == []
    (row,) = [row for name, row in node.call(node.gateway.callbacks.report).items()]
    assert "refused" in str(row["last_failure"])
    node.kill()
    server.start()
    again = start_gateway(toml)
    again.wait_until(lambda: bool(server.taken))
    assert [one.text for one in server.taken] == ["wait for it"]
    again.wait_until(lambda: not again.gateway.store.mailboxes())


def test_a_stop_waits_for_no_server_that_is_down(
    start_gateway: StartGateway, server: MailServer
) -> None:
    server.stop()
    node = start_gateway(NODE + MAIL.format(port=server.port))
    wants(node, forward_to_email=True, email="shop@example.org")
    send(node, "wait for it")
    node.wait_for_event("mail.down")
    node.wait_until(lambda: node.gateway.mailboxes.in_hand == 0)
    assert node.stop() == 0
    again = start_gateway(NODE)
    assert again.call(again.gateway.store.mailboxes) == ["mail:demo"]


def test_what_is_refused_for_good_is_set_aside_and_sent_when_people_ask(
    start_gateway: StartGateway, server: MailServer
) -> None:
    node = start_gateway(NODE + MAIL.format(port=server.port))
    wants(node, forward_to_inbox=False, forward_to_email=True, email="shop@example.org")
    server.answers["RCPT"].append("550 5.1.1 no such mailbox")
    send(node, "try again")
    node.wait_for_event("delivery.set_aside")
    (why,) = [entry["why"] for entry in node.log.named("delivery.set_aside")]
    assert why == "550 5.1.1 no such mailbox"
    desk = node.gateway.callbacks
    row = node.call(desk.report)["mail:demo"]
    assert (row["set_aside"], row["last_failure"]) == (1, why)
    node.wait_until(lambda: not server.answers["RCPT"])
    assert node.call(lambda: desk.retry("mail:demo")) == 1
    node.wait_until(lambda: bool(server.taken))
    assert [one.text for one in server.taken] == ["try again"]


def test_nothing_is_forwarded_where_it_cannot_be(start_gateway: StartGateway) -> None:
    node = start_gateway(NODE)
    wants(node, forward_to_inbox=False, forward_to_email=True, email="shop@example.org")
    send(node, "one")
    send(node, "two")
    assert kept(node) == ["two", "one"]
    assert node.log.events.count("forward.not_possible") == 1


def test_an_import_is_history_and_not_forwarded(
    start_gateway: StartGateway, server: MailServer
) -> None:
    node = start_gateway(NODE + MAIL.format(port=server.port))
    wants(node, forward_to_inbox=False, forward_to_email=True, email="shop@example.org")
    row = {"received": "2026-11-28T07:00:00Z", "from": "1", "to": "2", "text": "long ago"}
    verbs = node.gateway.verbs
    node.await_(lambda: verbs.ask("inbox.import", {"rows": [row], "account": "demo"}))
    assert kept(node) == ["long ago"]
    assert node.call(node.gateway.store.mailboxes) == []


def test_a_reload_brings_a_mail_server_and_takes_it_away(tmp_path: Any, server: MailServer) -> None:
    node = ReloadableGateway(tmp_path, NODE)
    try:
        wants(node, forward_to_inbox=False, forward_to_email=True, email="shop@example.org")
        send(node, "one")
        assert kept(node) == ["one"]
        node.take(NODE + MAIL.format(port=server.port))
        send(node, "two")
        node.wait_until(lambda: bool(server.taken))
        node.take(NODE)
        send(node, "three")
        assert kept(node) == ["three", "one"]
        assert [one.text for one in server.taken] == ["two"]
    finally:
        node.kill()
