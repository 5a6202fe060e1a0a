"""Files that change are read again, when the configuration says so."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from smsc.config import Config
from smsc.config_sections import NodeConfig
from smsc.gateway.watching import LOOK_S, Watching
from tests.fakes.reloadable import HEAD, ReloadableGateway
from tests.smsc.gateway.test_reloading import DEMO_TOML, SIM, Start, start, status_of

__all__ = ["start"]  # a fixture


class House:
    """A file that is watched, in a loop whose time jumps."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "smsc.toml"
        self.path.write_text("one")
        self.config = Config(node=NodeConfig(watch_config=True))
        self.reloads: list[str] = []
        self.watching = Watching(self.path, lambda: self.config, self.reload)
        self._ticks = 0

    async def reload(self) -> None:
        self.reloads.append(self.path.read_text() if self.path.exists() else "")

    def write(self, text: str) -> None:
        """At a moment of its own, whatever the file system's clock can tell apart."""
        self._ticks += 1
        self.path.write_text(text)
        os.utime(self.path, ns=(0, self._ticks * 10**9))

    async def looks(self, count: int) -> None:
        await trio.sleep(LOOK_S * count)
        await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def watched(house: House) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.watching.run)
        await trio.testing.wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


@pytest.fixture
def house(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> House:
    return House(tmp_path)


async def test_a_change_is_read_once(house: House) -> None:
    async with watched(house):
        await house.looks(3)
        assert house.reloads == []
        house.write("two")
        await house.looks(5)
        assert house.reloads == ["two"]


async def test_a_file_that_is_being_written_is_left_until_it_rests(house: House) -> None:
    async with watched(house):
        for text in ("t", "tw", "two"):
            house.write(text)
            await house.looks(1)
            assert house.reloads == []
        await house.looks(2)
        assert house.reloads == ["two"]


async def test_a_file_that_is_put_in_its_place(house: House, tmp_path: Path) -> None:
    async with watched(house):
        other = tmp_path / "new.toml"
        other.write_text("other")
        stamp = house.path.stat().st_mtime_ns
        os.utime(other, ns=(stamp, stamp))
        other.replace(house.path)
        await house.looks(3)
        assert house.reloads == ["other"]


async def test_nothing_happens_unless_it_is_wished(house: House) -> None:
    house.config = Config()
    async with watched(house):
        house.write("two")
        await house.looks(3)
        house.config = attrs.evolve(house.config, node=NodeConfig(watch_config=True))
        await house.looks(3)
        assert house.reloads == [], "what changed before is not of interest"
        house.write("three")
        await house.looks(3)
        assert house.reloads == ["three"]


async def test_a_gone_file_is_a_change_too(house: House) -> None:
    async with watched(house):
        house.path.unlink()
        await house.looks(3)
        assert house.reloads == [""]
        house.write("again")
        await house.looks(3)
        assert house.reloads == ["", "again"]


async def test_a_file_that_a_refused_configuration_misses(house: House, tmp_path: Path) -> None:
    missing = [tmp_path / name for name in ("list.csv", "prices.csv")]
    text = '[lists.new]\nfile = "{}"\n[credit]\nprices = "{}"\n[routes]\n'.format(*missing)
    async with watched(house):
        house.write(text)
        await house.looks(5)
        assert house.reloads == [text], "told once"
        for count, file in enumerate(missing, 2):
            file.write_text("41\n")
            await house.looks(3)
            assert house.reloads == [text] * count


async def test_a_configuration_that_cannot_be_read_names_nothing(house: House) -> None:
    odd = ("[[", "lists = 3\ncredit = 3\n[route_tables]\na = 3\nb = {file = 3}\n")
    async with watched(house):
        for text in odd:
            house.write(text)
            await house.looks(3)
        assert house.reloads == list(odd)


def test_a_list_that_the_file_names(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.gateway.watching.LOOK_S", 0.01)
    numbers = tmp_path / "blocked.csv"
    numbers.write_text("41790000001\n")
    rule = (
        f'[lists.blocked]\nfile = "{numbers}"\n'
        '[[routes]]\nwhen = {to_in = ["blocked"]}\ndo = {reject = "ESME_RINVDSTADR"}\n'
    )
    head = HEAD.replace("[node]", "[node]\nwatch_config = true")
    gateway: ReloadableGateway = start(DEMO_TOML + rule + SIM, head)
    assert status_of(gateway, "41790000001") != 0
    numbers.write_text("41790000002\n41790000003\n")
    gateway.wait_for_event("config.reloaded")
    assert gateway.log.named("config.reloaded")[0]["by"] == "file change"
    assert status_of(gateway, "41790000001") == 0
    assert status_of(gateway, "41790000003") != 0
    gateway.write("[[")
    gateway.wait_for_event("config.not_reloaded")
    assert status_of(gateway, "41790000003") != 0
