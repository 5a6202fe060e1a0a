"""One exchange: TLS by name and chain, client certificates, proxies, odd URLs."""

import ssl
from pathlib import Path

import attrs
import trio
import trio.testing

from bridges.connectors.exchange import Exchanged, Exchanger, NoAnswer, NotSent
from bridges.connectors.kinds import ClickatellConfig
from bridges.connectors.service import Request, Response
from smsc.config_errors import Secret
from tests.fakes.certificates import Authority
from tests.fakes.services.running import clickatell
from tests.fakes.services.web import Cut, Hang, Say, Seen, serving


async def ask(config: ClickatellConfig, url: str) -> Exchanged:
    with trio.fail_after(10):
        async with Exchanger(config) as exchanger:
            return await exchanger.exchange(Request("POST", url, (("X-A", "b"),), b"hello"))


def tls_server(authority: Authority, *, wants_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server"))
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.cert)
    return context


def answer(_: Seen) -> Say:
    return Say(201, b"yes", (("X-Id", "7"),))


async def test_an_exchange_in_plain() -> None:
    async with serving(answer) as web:
        told = await ask(clickatell(web.url), f"{web.url}/a?b=c")
        assert isinstance(told, Response)
        assert (told.status, told.body, told.headers["x-id"]) == (201, b"yes", "7")
        seen = web.seen[0]
        assert (seen.method, seen.target, seen.body) == ("POST", "/a?b=c", b"hello")
        assert seen.headers["host"] == f"127.0.0.1:{web.port}"
        assert seen.headers["x-a"] == "b"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with serving(lambda _: Say(302, b"", (("Location", "/elsewhere"),))) as web:
        told = await ask(clickatell(web.url), web.url)
        assert isinstance(told, Response)
        assert (told.status, len(web.seen)) == (302, 1)


async def test_tls_with_an_authority_of_our_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(answer, tls=tls_server(authority)) as web:
        told = await ask(clickatell(web.url, tls_ca=authority.cert), web.url)
        assert isinstance(told, Response)


async def test_tls_refuses_a_stranger_and_nothing_left(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")
    async with serving(answer, tls=tls_server(authority)) as web:
        for config in (clickatell(web.url), clickatell(web.url, tls_ca=other.cert)):
            told = await ask(config, web.url)
            assert isinstance(told, NotSent)
            assert "certificate" in told.why.lower()
        assert web.seen == []


async def test_tls_checks_the_name_that_settings_give(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(answer, tls=tls_server(authority)) as web:
        fits = clickatell(web.url, tls_ca=authority.cert, tls_name="localhost")
        assert isinstance(await ask(fits, web.url), Response)
        told = await ask(attrs.evolve(fits, tls_name="sms.example"), web.url)
        assert isinstance(told, NotSent)


async def test_tls_shows_our_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("gateway")
    async with serving(answer, tls=tls_server(authority, wants_certificate=True)) as web:
        config = clickatell(web.url, tls_ca=authority.cert, tls_cert=cert, tls_key=key)
        assert isinstance(await ask(config, web.url), Response)
        assert not isinstance(
            await ask(clickatell(web.url, tls_ca=authority.cert), web.url), Response
        )
        assert len(web.seen) == 1


async def test_a_proxy_with_a_password() -> None:
    async with serving(answer) as proxy:
        config = clickatell(
            "http://sms.example", proxy=Secret(f"http://u:p@127.0.0.1:{proxy.port}")
        )
        told = await ask(config, "http://sms.example/send")
        assert isinstance(told, Response)
        seen = proxy.seen[0]
        assert seen.target == "http://sms.example/send"
        assert seen.headers["proxy-authorization"] == "Basic dTpw"
        assert seen.headers["host"] == "sms.example"


async def test_a_proxy_that_refuses_to_connect_leaves_no_doubt() -> None:
    """For https the proxy is asked for a tunnel first; that request is not the service's."""

    def refuse(_: Seen) -> Say:
        return Say(407, b"no")

    async with serving(refuse) as proxy:
        config = clickatell("https://sms.example", proxy=Secret(f"http://127.0.0.1:{proxy.port}"))
        told = await ask(config, "https://sms.example/send")
        assert isinstance(told, NotSent)
        assert proxy.seen[0].method == "CONNECT"


async def test_urls_that_are_none_leave_no_doubt() -> None:
    for url in ("", "sms.example", "ftp://sms.example/", "http://"):
        told = await ask(clickatell("http://x.example"), url)
        assert isinstance(told, NotSent), url
        assert told.is_hopeless


async def test_a_connection_that_the_service_closed_meanwhile_is_not_used() -> None:
    """What idled too long is found closed before anything is written on it."""

    def last(_: Seen) -> Say:
        return Say(200, b"x", (("Connection", "close"),))

    async with serving(last) as web:
        async with Exchanger(clickatell(web.url)) as exchanger:
            for _ in range(3):
                told = await exchanger.exchange(Request("GET", web.url))
                assert isinstance(told, Response)
        assert web.connections == 3


async def test_a_connection_that_was_cut_short_does_not_keep_its_place() -> None:
    """After a time-out in the answer, and in connecting, the next exchange has a fresh one."""
    hangs = True

    def sometimes(_: Seen) -> Say | Hang:
        return Hang() if hangs else Say(200, b"yes")

    async with serving(sometimes) as web:
        config = clickatell(web.url, timeout_s=0.1, read_timeout_s=5.0)
        async with Exchanger(config) as exchanger:
            assert isinstance(await exchanger.exchange(Request("GET", web.url)), NoAnswer)
            hangs = False
            assert isinstance(await exchanger.exchange(Request("GET", web.url)), Response)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listeners[0] as silent:
        url = f"https://127.0.0.1:{silent.socket.getsockname()[1]}"
        for more in ({"connect_timeout_s": 0.05}, {"timeout_s": 0.05}):
            async with Exchanger(clickatell(url, **more)) as exchanger:
                first = await exchanger.exchange(Request("GET", url))
                second = await exchanger.exchange(Request("GET", url))
            assert isinstance(first, NotSent)
            assert second == first, "not a wait for a place"


async def test_a_connection_that_the_service_cuts_after_an_answer_is_closed_by_us_too() -> None:
    """The answer does not announce it: the connection looks fine, and is found gone later."""
    octets = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
    async with serving(lambda _: Cut(octets)) as web, Exchanger(clickatell(web.url)) as exchanger:
        for number in range(3):
            told = await exchanger.exchange(Request("GET", web.url))
            assert isinstance(told, Response)
            assert told.body == b"yes"
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert web.connections == number + 1
