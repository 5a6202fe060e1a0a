"""The callback client over real sockets: the address that was judged, the name that TLS checks."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import attrs
import pytest
import trio

from bridges.callback_client import ANSWER_OCTETS, CallbackClient, Resolve, make_client
from bridges.callbacks.retry import Answered, Unanswered
from bridges.callbacks.style import CallbackRequest
from tests.fakes.certificates import Authority

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
DATE = b"Date: Wed, 21 Oct 2026 07:28:00 GMT"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@attrs.define
class Names:
    """A resolver: what it answers, one answer after the other, and what it was asked."""

    answers: list[list[str]]
    asked: list[str] = attrs.Factory(list)

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0)


@attrs.define
class Server:
    port: int
    requests: list[bytes] = attrs.Factory(list)


@asynccontextmanager
async def serving(
    answer: bytes = OK, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    server = Server(0)

    async def handle(stream: trio.abc.Stream) -> None:
        if tls is not None:
            stream = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        async with stream:
            try:
                data = b""
                while chunk := await stream.receive_some():
                    data += chunk
                    if data.endswith(b"\r\n\r\n{}"):  # every request of this file has this body
                        server.requests.append(data)
                        data = b""
                        await stream.send_all(answer)
            except (trio.BrokenResourceError, ssl.SSLError):
                return

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host=host)
        server.port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, handle, listeners)
        yield server
        nursery.cancel_scope.cancel()


async def ask(
    client: CallbackClient, url: str, headers: Sequence[tuple[str, str]] = ()
) -> Answered | Unanswered:
    return await client.send(CallbackRequest(url, "POST", tuple(headers), b"{}"))


def client_with(
    resolve: Resolve, tls: ssl.SSLContext | None = None
) -> AbstractAsyncContextManager[CallbackClient]:
    return make_client(lambda: LOOPBACK, resolve=resolve, tls=tls, timeout_s=5.0)


async def test_the_answer_comes_back_with_its_body() -> None:
    async with serving() as server, make_client(lambda: LOOPBACK) as client:
        answer = await ask(client, f"http://127.0.0.1:{server.port}/a?b=c", [("X-One", "1")])
    assert isinstance(answer, Answered)
    assert (answer.response.status, answer.response.body) == (200, b"ok")
    (request,) = server.requests
    assert request.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n".encode() in request.lower()
    assert b"x-one: 1\r\n" in request.lower()
    assert request.endswith(b"{}")


async def test_credentials_in_the_url_become_basic_auth_and_a_fragment_stays_here() -> None:
    async with serving() as server, make_client(lambda: LOOPBACK) as client:
        await ask(client, f"http://us%40er:pa:ss@127.0.0.1:{server.port}/a#frag")
    assert b"POST /a HTTP/1.1" in server.requests[0]
    assert b"Authorization: Basic dXNAZXI6cGE6c3M=" in server.requests[0]


async def test_without_a_setting_loopback_is_not_asked() -> None:
    async with serving() as server, make_client() as client:
        answer = await ask(client, f"http://127.0.0.1:{server.port}/")
    assert isinstance(answer, Unanswered)
    assert answer.is_final
    assert server.requests == []


async def test_a_name_that_leads_to_a_private_address_is_not_asked() -> None:
    names = Names([["10.0.0.1", "169.254.169.254"]])
    async with client_with(names.resolve) as client:
        answer = await ask(client, "http://metadata.example/")
    assert isinstance(answer, Unanswered)
    assert answer.is_final
    assert "10.0.0.1" in answer.why


async def test_of_several_addresses_only_permitted_ones_are_tried_one_after_the_other() -> None:
    async with serving() as server:
        names = Names([["10.0.0.1", "127.0.0.2", "127.0.0.1"]])
        async with client_with(names.resolve) as client:
            answer = await ask(client, f"http://shop.example:{server.port}/")
    assert isinstance(answer, Answered)
    assert names.asked == ["shop.example"]


async def test_a_name_is_resolved_once_so_it_cannot_change_its_mind_after_the_check() -> None:
    """DNS rebinding: the second answer of the resolver would be the private one."""
    async with serving() as server:
        names = Names([["127.0.0.1"], ["10.0.0.1"]])
        async with client_with(names.resolve) as client:
            url = f"http://shop.example:{server.port}/"
            assert isinstance(await ask(client, url), Answered)
            assert isinstance(await ask(client, url), Answered)  # the same connection
    assert names.asked == ["shop.example"]
    assert len(server.requests) == 2


async def test_tls_checks_the_name_although_an_address_is_dialled(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server"))  # it is for localhost
    async with serving(tls=context) as server:
        names = Names([["127.0.0.1"], ["127.0.0.1"]])
        async with client_with(names.resolve, authority.client_context()) as client:
            right = await ask(client, f"https://localhost:{server.port}/")
            wrong = await ask(client, f"https://shop.example:{server.port}/")
    assert isinstance(right, Answered)
    assert isinstance(wrong, Unanswered)
    assert not wrong.is_final
    assert len(server.requests) == 1


async def test_a_name_that_nobody_knows_is_trouble() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    async with client_with(unknown) as client:
        answer = await ask(client, "http://nowhere.example/")
    assert answer == Unanswered("ConnectError")


async def test_a_resolver_that_hangs_is_given_up() -> None:
    async def hang(host: str, port: int) -> list[str]:
        await trio.sleep_forever()
        raise AssertionError

    async with make_client(lambda: LOOPBACK, resolve=hang, timeout_s=0.05) as client:
        answer = await ask(client, "http://slow.example/")
    assert answer == Unanswered("no answer within 0.05 s")


async def test_no_more_of_an_answer_is_kept_than_its_beginning() -> None:
    body = b"x" * 300_000
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body
    async with serving(long) as server, make_client(lambda: LOOPBACK) as client:
        answer = await ask(client, f"http://127.0.0.1:{server.port}/")
        assert isinstance(answer, Answered)
        assert len(answer.response.body) == ANSWER_OCTETS


@pytest.mark.parametrize(
    ("headers", "wish_s"),
    [
        (b"Retry-After: 120", 120.0),
        (b"Retry-After: 0", 0.0),
        (b"Retry-After: -1", 0.0),
        (b"Retry-After: soon", 0.0),
        (b"Retry-After: " + b"9" * 400, 999_999_999.0),
        (b"Retry-After: Wed, 21 Oct 2026 07:28:30 GMT\r\n" + DATE, 30.0),
        (b"Retry-After: Wed, 21 Oct 2026 07:27:00 GMT\r\n" + DATE, 0.0),
        (b"Retry-After: Wed, 21 Oct 2026 07:28:30 GMT", 0.0),
        (b"Retry-After: Wed, 21 Oct 2026 07:28:30 -0000\r\n" + DATE, 0.0),
        (b"X-Other: 1", 0.0),
    ],
)
async def test_what_wait_the_host_asks_for(headers: bytes, wish_s: float) -> None:
    head = b"HTTP/1.1 503 \r\n" + headers + b"\r\nContent-Length: 0\r\n\r\n"
    async with serving(head) as server, make_client(lambda: LOOPBACK) as client:
        answer = await ask(client, f"http://127.0.0.1:{server.port}/")
    assert isinstance(answer, Answered)
    assert answer.retry_after_s == wish_s


async def test_a_redirect_is_an_answer_like_others() -> None:
    async with serving() as trap:
        location = f"http://127.0.0.1:{trap.port}/".encode()
        head = b"HTTP/1.1 302 \r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
        async with serving(head) as server, make_client(lambda: LOOPBACK) as client:
            answer = await ask(client, f"http://127.0.0.1:{server.port}/")
    assert isinstance(answer, Answered)
    assert answer.response.status == 302
    assert trap.requests == []
