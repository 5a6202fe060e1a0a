"""The control door: real Unix sockets, polite and hostile."""

import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from smsc.control import door
from smsc.control.client import NoGateway, ask
from smsc.control.door import CONNECTIONS, LINE_OCTETS, Door
from smsc.control.socket_path import SOCKET_NAME, socket_path
from smsc.control.verbs import Answer, Declined, Told, Verbs
from tests.fakes.house import eventually
from tests.fakes.log import FakeLog


class House:
    """A door with a few verbs."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = FakeLog()
        self.verbs = Verbs()
        self.may_end = trio.Event()
        self.ended: list[str] = []
        self.verbs.add("say", self.say, required={"text": str}, optional={"times": int})
        self.verbs.add("wait", self.wait)
        self.verbs.add("break", self.break_)
        self.door = Door(data_dir, self.verbs, self.log.log)

    async def say(self, text: str, times: int = 1) -> Answer:
        return Told([text] * times) if text else Declined(("no text", "say something"))

    async def wait(self) -> Answer:
        await self.may_end.wait()
        self.ended.append("wait")
        return Told()

    async def break_(self) -> Answer:
        raise RuntimeError("a bug")

    async def ask(self, verb: str, /, **arguments: Any) -> Answer | NoGateway:
        """As the command line does, beside the loop."""
        return await trio.to_thread.run_sync(ask, self.data_dir, verb, arguments)

    async def connect(self) -> trio.SocketStream:
        with socket_path(self.data_dir) as path:
            return trio.SocketStream((await trio.open_unix_socket(path)).socket)

    async def exchange(self, octets: bytes) -> list[dict[str, Any]]:
        """Send, end, and read to the end."""
        async with await self.connect() as stream:
            try:
                await stream.send_all(octets)
                await stream.send_eof()
            except trio.BrokenResourceError:
                pass  # it hung up on us: its answer is still to be read
            told = b""
            while piece := await stream.receive_some(65536):
                told += piece
        return [json.loads(line) for line in told.splitlines()]


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[House]:
    house = House(data_dir)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.door.serve)
            yield house
            nursery.cancel_scope.cancel()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as one:
        yield one


class TestAsking:
    async def test_a_verb_is_done_with_its_arguments(self, house: House) -> None:
        assert await house.ask("say", text="a") == Told(["a"])
        assert await house.ask("say", text="a", times=2) == Told(["a", "a"])
        assert [one["verb"] for one in house.log.named("control.asked")] == ["say", "say"]
        assert {one["uid"] for one in house.log.named("control.asked")} == {os.getuid()}

    async def test_arguments_do_not_reach_the_log(self, house: House) -> None:
        await house.ask("say", text="secret")
        assert "secret" not in repr(house.log.entries)

    async def test_a_refusal_has_its_sentences(self, house: House) -> None:
        assert await house.ask("say", text="") == Declined(("no text", "say something"))

    @pytest.mark.parametrize(
        ("verb", "arguments", "why"),
        [
            ("sing", {}, "known are: break, say, wait"),
            ("say", {}, "argument 'text' is missing"),
            ("say", {"text": 1}, "argument 'text' is not a text"),
            ("say", {"text": "a", "times": True}, "argument 'times' is not a whole number"),
            ("say", {"text": "a", "times": "2"}, "argument 'times' is not a whole number"),
            ("say", {"text": "a", "self": "b"}, "argument 'self' is unknown"),
        ],
    )
    async def test_what_does_not_fit(
        self, house: House, verb: str, arguments: dict[str, Any], why: str
    ) -> None:
        answer = await house.ask(verb, **arguments)
        assert isinstance(answer, Declined)
        assert why in answer.why[0]

    async def test_many_lines_on_one_connection_are_answered_in_order(self, house: House) -> None:
        lines = [
            b'{"verb": "say", "arguments": {"text": "%d"}}\n' % number for number in range(100)
        ]
        answers = await house.exchange(b"".join(lines))
        assert [one["value"] for one in answers] == [[str(number)] for number in range(100)]


class TestHostility:
    @pytest.mark.parametrize(
        "line",
        [
            b"\n",
            b"hello\n",
            b"\xff\xfe\n",
            b"[]\n",
            b'{"verb": 1}\n',
            b'{"verb": "say", "arguments": []}\n',
            b"[" * 100_000 + b"\n",
            b'{"verb": ' + b"9" * 5000 + b"}\n",
        ],
        ids=range(8),
    )
    async def test_nonsense_is_refused_and_the_door_stays_open(
        self, house: House, line: bytes
    ) -> None:
        (refused,) = await house.exchange(line)
        assert refused["ok"] is False
        assert await house.ask("say", text="a") == Told(["a"])

    async def test_a_line_without_end_is_cut(self, house: House) -> None:
        (refused,) = await house.exchange(b"x" * (LINE_OCTETS + 100_000))
        assert "longer than" in refused["why"][0]
        assert await house.ask("say", text="a") == Told(["a"])

    async def test_a_bug_in_a_verb_ends_that_conversation_only(self, house: House) -> None:
        assert isinstance(await house.ask("break"), NoGateway)
        assert house.log.events.count("control.crashed") == 1
        assert await house.ask("say", text="a") == Told(["a"])

    async def test_one_that_does_not_wait_for_its_answer(self, house: House) -> None:
        stream = await house.connect()
        await stream.send_all(b'{"verb": "wait"}\n')
        await eventually(lambda: house.door._open == 1)
        await stream.aclose()
        house.may_end.set()
        await eventually(lambda: house.door._open == 0)
        assert house.ended == ["wait"], "what was asked is done all the same"
        assert "control.crashed" not in house.log.events

    async def test_silence_is_cut(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door, "IDLE_S", 0.01)
        async with await house.connect() as stream:
            await stream.send_all(b'{"verb": ')
            assert await stream.receive_some(10) == b""

    async def test_one_that_never_reads_is_cut(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "_ANSWER_S", 0.01)
        async with await house.connect() as stream:
            wish = {"verb": "say", "arguments": {"text": "x" * 1000, "times": 10_000}}
            await stream.send_all(json.dumps(wish).encode() + b"\n")
            await eventually(lambda: house.door._open == 1)
            await eventually(lambda: house.door._open == 0)

    async def test_there_is_a_limit_to_how_many_talk_at_once(self, house: House) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(CONNECTIONS):
                nursery.start_soon(partial(house.ask, "wait"))
            await eventually(lambda: house.door._open == CONNECTIONS)
            answer = await house.ask("say", text="a")
            assert isinstance(answer, Declined)
            assert "too many" in answer.why[0]
            house.may_end.set()
        assert await house.ask("say", text="a") == Told(["a"])


class TestTheSocket:
    async def test_only_its_owner_may_come_in(self, house: House) -> None:
        mode = (house.data_dir / SOCKET_NAME).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600

    async def test_it_goes_with_the_gateway(self, tmp_path: Path) -> None:
        async with opened(tmp_path):
            assert (tmp_path / SOCKET_NAME).exists()
        assert not (tmp_path / SOCKET_NAME).exists()
        assert isinstance(ask(tmp_path, "say", {"text": "a"}), NoGateway)

    async def test_that_of_a_dead_gateway_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / SOCKET_NAME).write_bytes(b"")
        async with opened(tmp_path) as house:
            assert await house.ask("say", text="a") == Told(["a"])

    async def test_one_of_another_gateway_is_left(self, tmp_path: Path) -> None:
        async with opened(tmp_path):
            (tmp_path / SOCKET_NAME).unlink()
            (tmp_path / SOCKET_NAME).write_bytes(b"another")
        assert (tmp_path / SOCKET_NAME).read_bytes() == b"another"

    async def test_a_directory_with_a_long_name(self, tmp_path: Path) -> None:
        deep = tmp_path / ("a" * 100) / ("b" * 100)
        deep.mkdir(parents=True)
        async with opened(deep) as house:
            assert await house.ask("say", text="a") == Told(["a"])
        assert not (deep / SOCKET_NAME).exists()

    async def test_a_gateway_without_a_door_goes_on(self, tmp_path: Path) -> None:
        (tmp_path / SOCKET_NAME).mkdir()
        house = House(tmp_path)
        await house.door.serve()
        assert house.log.events == ["control.closed"]

    def test_nobody_is_there(self, tmp_path: Path) -> None:
        answer = ask(tmp_path / "nowhere", "say", {"text": "a"})
        assert isinstance(answer, NoGateway)
        assert "no gateway runs on" in answer.why

    async def test_no_answer_in_time(self, house: House) -> None:
        answer = await trio.to_thread.run_sync(ask, house.data_dir, "wait", {}, 0.01)
        assert isinstance(answer, NoGateway)
        assert "within 0.01 s" in answer.why
        house.may_end.set()
