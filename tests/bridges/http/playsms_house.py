"""The gateway of the dialects as a program of playSMS sees it: one URL, many parameters."""

import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smsc.message import AccountId
from tests.bridges.http.dialect_house import ROUTES, DialectHouse

SPARE = """
[accounts.spare]
password = "spare"
"""
MORE = (
    """
[dialects.playsms]
disabled = ["other"]
max_parts = 3
max_receivers = 20
[inbox]
sandbox = true
[[mo_routes]]
to = ["1234"]
keyword = "IDOL"
account = "demo"
deliver = "inbox"
[[mo_routes]]
to = ["1234"]
account = "demo"
deliver = "inbox"
"""
    + SPARE
    + ROUTES
)
DEMO = AccountId("demo")


class PlaysmsHouse(DialectHouse):
    """A running gateway; every account of the file has a token."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, MORE)
        self.tokens: dict[str, str] = {}
        for name in ("demo", "plain", "poor", "shop", "far", "banned", "slow", "other", "boss"):
            self.tokens[name] = self.token(name)

    def raw(self, method: str = "GET", **fields: str | bytes) -> Any:
        """One request, by somebody who never mistyped a token."""
        self.forgive()
        if method == "GET":
            url = "/index.php?app=ws&" + urllib.parse.urlencode(fields)
            return self.client.get(url)
        return self.client.post("/index.php?app=ws", data=fields)

    def ask(self, op: str, account: str = "demo", method: str = "GET", **fields: Any) -> Any:
        """What an operation answers, as JSON; `fields` go before the credentials."""
        login = {"u": account, "h": self.tokens.get(account, "none"), "op": op}
        answer = self.raw(method, **{**login, **fields})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/json")
        found = answer.json()
        assert isinstance(found.pop("timestamp"), int)
        return found

    def code(self, op: str, account: str = "demo", **fields: Any) -> int:
        """The error code of an answer, wherever it stands; 0 if there is none."""
        found = self.ask(op, account, **fields)
        rows = found.get("data")
        if isinstance(rows, list) and rows and "error" in rows[0]:
            assert found["error_string"] is None
            return int(rows[0]["error"])
        return int(found.get("error", "0"))

    def everything(self) -> tuple[object, ...]:
        """All that a request could store: messages, accounts, credit, inboxes."""

        def look() -> tuple[object, ...]:
            gateway = self.gateway
            profiles = tuple(gateway.directory.profiles())
            names = [one.account for one in profiles]
            return (
                gateway.store.counts()["message"],
                profiles,
                tuple(gateway.directory.token(name) for name in names),
                tuple(str(gateway.credits.balances(name)) for name in names),
                tuple(gateway.inbox.count(name) for name in (*names, AccountId(""))),
            )

        return self.call(look)


@contextmanager
def running(data_dir: Path) -> Iterator[PlaysmsHouse]:
    """A house for as long as the block runs."""
    house = PlaysmsHouse(data_dir)
    try:
        yield house
    finally:
        house.client.close()
        house.kill()
