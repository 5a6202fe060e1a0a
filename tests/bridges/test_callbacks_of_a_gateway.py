"""Callbacks of a whole gateway: signed, given up on, seen and asked back by the command line."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest

from smsc import cli
from smsc.message import Draft, MessageId
from smsc.ports import Admitted
from tests.fakes.house import RunningGateway, StartGateway
from tests.flow.house import DEMO, body_to

KEY = b"k" * 24
NODE = """
[http]
{networks}
[accounts.demo]
password = "demo"
webhook_secret = "whsec_{key}"
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[[routes]]
outlets = ["sim"]
"""
LOOPBACK = 'callback_networks = ["127.0.0.0/8"]'


def node(networks: str = LOOPBACK) -> str:
    return NODE.format(networks=networks, key=base64.b64encode(KEY).decode())


@attrs.define
class Shop:
    """A client's callback host; `status` is what it answers, None: it hangs."""

    url: str = ""
    status: int | None = 200
    headers: dict[str, str] = attrs.Factory(dict)
    got: list[tuple[dict[str, str], bytes]] = attrs.Factory(list)
    released: threading.Event = attrs.Factory(threading.Event)


@pytest.fixture
def shop() -> Iterator[Callable[..., Shop]]:
    servers: list[tuple[http.server.ThreadingHTTPServer, threading.Thread, Shop]] = []

    def open_shop(**settings: Any) -> Shop:
        shop = Shop(**settings)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                if shop.status is None:
                    shop.released.wait(10)
                self.send_response(shop.status or 200)
                for name, value in shop.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread, shop))
        shop.url = f"http://127.0.0.1:{server.server_port}/dlr?secret=hidden"
        return shop

    yield open_shop
    for server, thread, one in servers:
        one.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def submit(
    gateway: RunningGateway, url: str, count: int = 1, callback_style: str = ""
) -> list[MessageId]:
    async def ask() -> list[MessageId]:
        drafts = [
            Draft(DEMO, "rest", body_to(), callback_url=url, callback_style=callback_style)
            for _ in range(count)
        ]
        answers = await gateway.gateway.intake.submit_many(drafts)
        return [one.id for one in answers if isinstance(one, Admitted)]

    return gateway.await_(ask)


def asked(tmp_path: Path, *words: str) -> int:
    return int(cli.app(["callbacks", *words, "--data-dir", str(tmp_path / "node")]))


def test_a_callback_is_a_signed_standard_webhook(
    start_gateway: StartGateway, shop: Callable[..., Shop]
) -> None:
    gateway, client = start_gateway(node()), shop()
    (id_,) = submit(gateway, client.url)
    gateway.wait_until(lambda: gateway.gateway.store.mailboxes() == [] and bool(client.got))
    headers, body = client.got[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = orjson.loads(body)
    assert (told["type"], told["data"]["id"]) == ("message.delivered", str(id_))
    assert "hidden" not in repr(gateway.log.entries)


def test_what_was_given_up_on_is_seen_survives_a_restart_and_is_asked_back(
    start_gateway: StartGateway,
    shop: Callable[..., Shop],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone, well = shop(status=410), shop()
    first = start_gateway(node(), "node")
    submit(first, gone.url, 3)
    first.wait_until(lambda: first.log.events.count("delivery.set_aside") == 3)
    requests = len(gone.got)
    submit(first, gone.url)
    first.wait_until(lambda: first.log.events.count("delivery.set_aside") == 4)
    assert len(gone.got) == requests  # the endpoint is known to be gone
    submit(first, well.url)
    first.wait_until(lambda: len(well.got) == 1)
    first.kill()

    second = start_gateway(node(), "node")
    second.wait_for_event("queues.restored")
    capsys.readouterr()
    assert asked(tmp_path, "list", "--json") == 0
    (row,) = [one for one in json.loads(capsys.readouterr().out) if one.get("set_aside")]
    host = row["mailbox"].removeprefix("callback:http://")
    assert row["set_aside"] == 4
    assert asked(tmp_path, "list") == 0
    assert "4" in capsys.readouterr().out
    health = second.call(lambda: second.gateway.pulse.health().facts["callbacks"])
    assert isinstance(health, dict)
    assert health["first"][row["mailbox"]]["set_aside"] == 4

    gone.status = 200
    assert asked(tmp_path, "retry", "other.example") == 0
    assert capsys.readouterr().out.startswith("0 ")
    assert asked(tmp_path, "retry", host) == 0
    assert capsys.readouterr().out.startswith("4 ")
    second.wait_until(lambda: second.gateway.store.mailboxes() == [])
    told = {orjson.loads(body)["data"]["delivery"] for _, body in gone.got}
    assert len(told) == 4


def test_loopback_is_not_asked_without_the_setting(
    start_gateway: StartGateway, shop: Callable[..., Shop]
) -> None:
    gateway, client = start_gateway(node(networks="")), shop()
    submit(gateway, client.url)
    gateway.wait_for_event("delivery.set_aside")
    assert client.got == []
    assert "callback_networks" in repr(gateway.log.entries)


def test_a_host_that_hangs_and_one_that_fails_hold_up_nobody(
    start_gateway: StartGateway, shop: Callable[..., Shop]
) -> None:
    gateway = start_gateway(node())
    hanging, failing, well = shop(status=None), shop(status=500), shop()
    redirecting = shop(status=302, headers={"Location": well.url})
    for bad in (hanging, failing, redirecting):
        submit(gateway, bad.url, 50)
    submit(gateway, well.url, 200)
    gateway.wait_until(lambda: len(well.got) == 200)
    assert len(hanging.got) <= 8
    assert len(redirecting.got) <= 50
    report = gateway.call(gateway.gateway.callbacks.report)
    assert report[f"callback:{failing.url.partition('/dlr')[0]}"]["failures"]


def test_a_style_of_steps_tells_them_in_a_whole_gateway(
    start_gateway: StartGateway, shop: Callable[..., Shop]
) -> None:
    gateway, client = start_gateway(node()), shop()
    submit(gateway, client.url, callback_style="native:63")
    gateway.wait_until(lambda: len(client.got) == 2)
    types = {orjson.loads(body)["type"] for _, body in client.got}
    assert types == {"message.enroute", "message.delivered"}
