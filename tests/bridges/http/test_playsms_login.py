"""ws_login and the page it opens: once, for a while, for those who may, and with nothing live."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import httpx2
import pytest

from bridges.http.dialects.base import Reply
from bridges.http.dialects.playsms import account_page
from bridges.http.dialects.playsms.account_page import COOKIE, LOGIN_S, Glance
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.parameters import parse_parameters
from bridges.http.endpoint import Call
from bridges.http.playsms_login import MAX_LOGINS, LoginDoor
from smsc.message import AccountId, State
from smsc.ports import MessagePage, Profile
from tests.bridges.http.dialect_house import ROUTES
from tests.bridges.http.dialect_house import running as running_with
from tests.bridges.http.playsms_house import DEMO, PlaysmsHouse, running

MARKUP = "<script>alert(1)</script>&\"'"
NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def playsms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaysmsHouse]:
    with running(tmp_path_factory.mktemp("playsms")) as one:
        yield one


def login(house: PlaysmsHouse, account: str, **headers: str) -> httpx2.Response:
    """Follow a login link, as far as its redirect."""
    house.client.cookies.clear()
    key = house.ask("loginkeyset", "boss", data_username=account)["login_key"]
    url = f"/index.php?app=ws&op=ws_login&u={account}&login_key={key}"
    answer: httpx2.Response = house.client.get(url, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, "index.php")
    return answer


def test_a_key_opens_the_page_of_its_account(playsms: PlaysmsHouse) -> None:
    directory = playsms.gateway.directory
    changed = playsms.await_(lambda: directory.change(DEMO, {"name": MARKUP}, DEMO))
    assert isinstance(changed, Profile)
    for to, text in (("41791112233", MARKUP), ("@demo", "to myself")):
        assert playsms.code("pv", "demo" if to != "@demo" else "plain", to=to, msg=text) == 0
    row = playsms.ask("ds", dst="41791112233")["data"][0]
    playsms.wait_for(row["smslog_id"], State.DELIVERED)
    cookie = login(playsms, "demo").headers["set-cookie"]
    assert re.fullmatch(
        rf"{COOKIE}=[\w-]{{43}}; Path=/index\.php; Max-Age=600; HttpOnly; SameSite=Strict", cookie
    )
    answer = playsms.client.get("/index.php")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert answer.headers["referrer-policy"] == "no-referrer"
    page = answer.text
    assert "Account demo (&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;)" in page
    assert "<p>Without limit.</p>" in page
    assert "<td>+41791112233</td><td>&lt;script&gt;" in page
    assert "<td>delivered</td>" in page
    assert "<h2>Inbox: 1</h2>" in page
    assert "<td>@plain</td>" in page
    assert not re.search(r"<(script|form|img|link|iframe|input)|https?:|\son\w+=", page)
    login(playsms, "poor")
    page = playsms.client.get("/index.php").text
    assert "Account poor" in page
    assert "<td>all</td><td>1</td>" in page
    assert "41791112233" not in page


def test_a_proxy_that_speaks_tls_gets_a_cookie_for_tls(playsms: PlaysmsHouse) -> None:
    answer = login(playsms, "demo", **{"X-Forwarded-Proto": "https"})
    assert answer.headers["set-cookie"].endswith("; SameSite=Strict; Secure")


@pytest.mark.parametrize("account", ["far", "banned", "other"])
def test_an_account_that_may_not_gets_no_cookie(playsms: PlaysmsHouse, account: str) -> None:
    """From another network, closed, and of `disabled`."""
    assert "set-cookie" not in login(playsms, account).headers
    assert playsms.client.get("/index.php").status_code == 403


def test_a_login_ends_with_a_ban(playsms: PlaysmsHouse) -> None:
    login(playsms, "plain")
    assert playsms.client.get("/index.php").status_code == 200
    assert playsms.code("accountban", "boss", data_username="plain") == 0
    assert playsms.client.get("/index.php").status_code == 403
    assert playsms.code("accountunban", "boss", data_username="plain") == 0


@pytest.mark.parametrize(
    "cookie", ["", "x", f"{COOKIE}=", f"{COOKIE}={'a' * 43}", f"{COOKIE}=\xff"]
)
def test_strangers_see_nothing(playsms: PlaysmsHouse, cookie: str) -> None:
    playsms.client.cookies.clear()
    answer = playsms.client.get("/index.php", headers=[(b"Cookie", cookie.encode("latin-1"))])
    assert answer.status_code == 403
    assert "Nobody is logged in" in answer.text
    assert '<a href="index.php">' in answer.text  # SameSite=Strict: a click brings the cookie


def test_a_page_of_the_operator_s_own_wins(tmp_path: Path) -> None:
    config = '[dialects.playsms]\nlogin_location = "https://sms.example/"\n' + ROUTES
    with running_with(tmp_path / "var", config) as house:
        directory = house.gateway.directory
        key = house.await_(lambda: directory.new_login_key(DEMO, DEMO))
        for _ in range(2):
            query = f"app=ws&op=ws_login&u=demo&login_key={key}"
            answer = house.client.get(f"/index.php?{query}")
            assert answer.headers["location"] == "https://sms.example/"
            assert "set-cookie" not in answer.headers
        assert house.client.get("/index.php").status_code == 404


# --- what takes time, or many ----------------------------------------------------------------------


@attrs.define
class FakeGateway:
    """An account "demo" whose key is "key", each time."""

    uid: int = 1

    @property
    def directory(self) -> "FakeGateway":
        return self

    def profile(self, account: AccountId) -> Profile:
        return Profile(account=account, uid=self.uid)

    def find(self, login: str) -> Profile:
        return self.profile(AccountId(login))

    def is_open(self, _account: AccountId, _peer: str) -> bool:
        return True

    async def use_login_key(self, _account: AccountId, key: str) -> bool:
        return key == "key"

    @property
    def credits(self) -> Any:
        return SimpleNamespace(balances=lambda _account: {})

    @property
    def inbox(self) -> Any:
        return SimpleNamespace(received=lambda _account, _query: [], count=lambda _account: 0)

    @property
    def lookup(self) -> Any:
        async def reports(_query: object) -> MessagePage:
            return MessagePage([], None)

        return SimpleNamespace(reports=reports)


@attrs.define
class Visitor:
    door: LoginDoor
    gateway: Any
    now_ms: int = NOW_MS

    def call(self, cookie: str = "") -> Call:
        headers = {"cookie": cookie}
        return Call(self.gateway, None, {}, b"", self.now_ms, "GET", headers=headers)

    async def enter(self) -> str:
        """The cookie of a new login."""
        reply = await self.door.enter(
            self.call(), parse_parameters("u=demo&login_key=key", "", b"")
        )
        return dict(reply.headers)["Set-Cookie"].partition(";")[0]

    async def look(self, cookie: str) -> Reply:
        return await self.door.page(self.call(f"a=b; {cookie}; c"))


async def test_a_login_lasts_ten_minutes() -> None:
    visitor = Visitor(LoginDoor(PlaysmsConfig()), FakeGateway())
    cookie = await visitor.enter()
    visitor.now_ms += LOGIN_S * 1000 - 1
    assert (await visitor.look(cookie)).status == 200
    visitor.now_ms += 1
    assert (await visitor.look(cookie)).status == 403


async def test_an_account_made_anew_is_another() -> None:
    gateway = FakeGateway()
    visitor = Visitor(LoginDoor(PlaysmsConfig()), gateway)
    cookie = await visitor.enter()
    gateway.uid = 2
    assert (await visitor.look(cookie)).status == 403


async def test_logins_are_bounded() -> None:
    visitor = Visitor(LoginDoor(PlaysmsConfig()), FakeGateway())
    cookies = [await visitor.enter() for _ in range(MAX_LOGINS + 1)]
    assert len(set(cookies)) == len(cookies)
    statuses = [(await visitor.look(one)).status for one in cookies[:2] + cookies[-1:]]
    assert statuses == [403, 200, 200]


@pytest.mark.parametrize(("path", "location"), [("/sms/ws", "ws"), ("/sms/", "./"), ("/", "./")])
async def test_where_the_page_is(path: str, location: str) -> None:
    visitor = Visitor(LoginDoor(PlaysmsConfig(path=path)), FakeGateway())
    asked = parse_parameters("u=demo&login_key=key", "", b"")
    headers = dict((await visitor.door.enter(visitor.call(), asked)).headers)
    assert headers["Location"] == location
    assert f"; Path={path}; " in headers["Set-Cookie"]


def test_every_class_of_credit_is_shown() -> None:
    glance = Glance(
        account="<b>", name="", zone="UTC", credit={"foreign": "2", "<i>": "1"}, sent=[],
        received=[], inbox=0,
    )  # fmt: skip
    page = account_page.page(glance).body.decode()
    assert "<td>&lt;i&gt;</td><td>1</td></tr><tr><td>foreign</td><td>2</td>" in page
    assert "<b>" not in page
    assert page.count("<p>None.</p>") == 2
