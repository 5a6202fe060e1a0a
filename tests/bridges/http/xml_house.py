"""The gateway of the dialects as clients of XML see it: they look at octets and status lines."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from smsc.ports import MessageQuery, MessageReport
from tests.bridges.http.dialect_house import ROUTES, DialectHouse


@attrs.frozen
class Answer:
    """An answer, as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class XmlHouse(DialectHouse):
    """A running gateway, and what it stored."""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request over a socket of its own, by somebody who never mistyped a password."""
        self.forgive()
        assert self.http is not None
        connection = http.client.HTTPConnection("127.0.0.1", self.http[1], timeout=10)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def newest(self, count: int = 1) -> list[MessageReport]:
        """The messages stored last, oldest first."""
        query = MessageQuery(account=None, limit=count)
        page = self.await_(lambda: self.gateway.lookup.reports(query))
        return list(page.reports)[::-1]


@contextmanager
def running(data_dir: Path, more: str = ROUTES) -> Iterator[XmlHouse]:
    """A house for as long as the block runs; `more` is what comes behind `TOML`."""
    house = XmlHouse(data_dir, more)
    try:
        yield house
    finally:
        house.client.close()
        house.kill()
