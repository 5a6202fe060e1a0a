"""The paths that online services call, on the HTTP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx2
import pytest
import trio

from bridges.connectors.service import Callback
from bridges.http.dialects.base import Reply
from bridges.http.server import serve
from tests.fakes.log import FakeLog

PATH = "/receipts/x7Kq2mN9vB4t"


@attrs.define
class FakeReceiver:
    receipts_url: str = f"https://gw.example{PATH}"
    got: list[Callback] = attrs.Factory(list)

    async def called(self, callback: Callback) -> Reply:
        self.got.append(callback)
        return Reply(200, b"ACK", "text/plain")


@asynccontextmanager
async def serving(receivers: dict[str, FakeReceiver]) -> AsyncIterator[tuple[str, FakeLog]]:
    class Gateway:
        def now_ms(self) -> int:
            return 0

    gateway: Any = Gateway()
    log = FakeLog()
    async with trio.open_nursery() as nursery:

        async def live(task_status: trio.TaskStatus[Any]) -> None:
            await serve(
                ["127.0.0.1:0"],
                gateway,
                log=log.log,
                receiver_at=receivers.get,
                task_status=task_status,
            )

        addresses = await nursery.start(live)
        yield f"http://127.0.0.1:{addresses[0][1]}", log
        nursery.cancel_scope.cancel()


async def test_a_call_reaches_the_connector_of_its_path() -> None:
    receiver = FakeReceiver()
    async with (
        serving({PATH: receiver}) as (url, log),
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        answer = await client.post(f"{url}{PATH}?a=b%20c", content=b"x=1", headers={"X-Sign": "s"})
        assert (answer.status_code, answer.text) == (200, "ACK")
        (callback,) = receiver.got
        assert callback.method == "POST"
        assert callback.url == f"https://gw.example{PATH}?a=b%20c", "as the service knows it"
        assert (callback.query, callback.body) == ({"a": "b c"}, b"x=1")
        assert callback.headers.get("x-sign") == "s"
        assert (await client.get(f"{url}{PATH}")).status_code == 200
        assert receiver.got[1].url == f"https://gw.example{PATH}"
        assert PATH not in str(log.entries)


@pytest.mark.parametrize("path", ["/receipts/other", f"{PATH}/more", "/receipts"])
async def test_other_paths_are_nobodys(path: str) -> None:
    receiver = FakeReceiver()
    async with serving({PATH: receiver}) as (url, _), httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{url}{path}")).status_code == 404
        assert receiver.got == []


async def test_other_methods_and_huge_bodies_are_refused() -> None:
    receiver = FakeReceiver()
    async with serving({PATH: receiver}) as (url, _), httpx2.AsyncClient(trust_env=False) as client:
        for refused in (
            await client.put(f"{url}{PATH}", content=b"x"),
            await client.head(url + PATH),
        ):
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
        assert (await client.post(f"{url}{PATH}", content=b"x" * 300_000)).status_code == 413
        assert receiver.got == []


async def test_connectors_come_and_go_while_it_serves() -> None:
    receivers: dict[str, FakeReceiver] = {}
    async with serving(receivers) as (url, _), httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{url}{PATH}")).status_code == 404
        receivers[PATH] = FakeReceiver()
        assert (await client.post(f"{url}{PATH}")).status_code == 200
        del receivers[PATH]
        assert (await client.post(f"{url}{PATH}")).status_code == 404
