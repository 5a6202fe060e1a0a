"""Connectors of the operator's own code."""

import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridges import REGISTRY
from bridges.connectors import custom as room
from bridges.connectors.custom import CustomConfig
from pdu.status import Status
from smsc.config import Config, load
from smsc.config_errors import Secret
from smsc.ports import Failed, Held, Outcome, Sent, TryLater
from tests.fakes.house import eventually
from tests.fakes.services.running import Running, driving
from tests.fakes.services.web import Answer, FakeWeb, Say, Seen, say_json, serving

SYSERR = int(Status.ESME_RSYSERR)
HEAD = "def send(message, number, flash, sender, username, password, account, url, proxy):\n    "
EXAMPLE = Path("examples/connectors/custom_sms.py")


def write(file: Path, code: str, at: int | None = None) -> None:
    """Put code into a file, changed at a time of its own so that a look sees the change."""
    file.write_text(code)
    if at is not None:
        os.utime(file, (at, at))


@asynccontextmanager
async def running(file: Path, code: str, **settings: Any) -> AsyncIterator[Running]:
    write(file, code)
    config = CustomConfig(file=file, **settings)
    async with driving("custom", config, FakeWeb(lambda _: Say())) as house:
        yield house


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.py"


RESULTS: list[tuple[str, Outcome]] = [
    ("return True", Sent(1, "")),  # type: ignore[arg-type]
    ("return {'id': 'abc'}", Sent(1, "abc")),  # type: ignore[arg-type]
    ("return False", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("return 'no route'", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("return {'error': 'x', 'class': 'permanent'}", Failed(1, Status.ESME_RSUBMITFAIL)),  # type: ignore[arg-type]
    ("return {'error': 'x', 'class': 'throttled'}", TryLater(1, Status.ESME_RTHROTTLED)),  # type: ignore[arg-type]
    ("return {'error': 'x', 'class': '?'}", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("raise OSError('line down')", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("return 7", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("pass", TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ("return send2()", TryLater(1, SYSERR)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("prefix", ["", "async "])
@pytest.mark.parametrize(("body", "outcome"), RESULTS)
async def test_what_the_function_returns(
    file: Path, prefix: str, body: str, outcome: Outcome
) -> None:
    async with running(file, prefix + HEAD + body) as house:
        assert await house.outcome() == outcome


async def test_the_text_of_an_exception_is_in_the_log(file: Path) -> None:
    async with running(file, HEAD + "raise OSError('line down')") as house:
        await house.outcome()
        (entry,) = house.log.named("connector.attempt_failed")
        assert (entry["code"], entry["why"]) == ("OSError", "line down")


async def test_what_the_function_is_given(file: Path) -> None:
    code = HEAD + "return repr([message, number, flash, sender, username, account, url, proxy])"
    settings = {"username": "u", "account": "a", "url": "http://x", "proxy": Secret("http://p")}
    async with running(file, code, **settings) as house:
        await house.outcome(text="Hé", sender="41790000000")
        why = house.log.named("connector.attempt_failed")[0]["why"]
        assert why == "['…', '+41791234567', False, '+41790000000', 'u', 'a', 'http://x', '…']"


@pytest.mark.parametrize(("ambiguous", "kind"), [("resend", TryLater), ("hold", Held)])
@pytest.mark.parametrize("prefix", ["", "async "])
async def test_a_hanging_function_is_cut_and_the_message_in_doubt(
    file: Path, prefix: str, ambiguous: str, kind: type
) -> None:
    wait = "import trio; await trio.sleep(60)" if prefix else "import mine_gate; mine_gate.wait()"
    gate = threading.Event()
    sys.modules["mine_gate"] = gate  # type: ignore[assignment]
    try:
        async with running(file, prefix + HEAD + wait, timeout_s=0.1, ambiguous=ambiguous) as house:
            house.send(1)
            house.flow.release()
            assert await house.outcomes() == [kind(1, SYSERR)]
    finally:
        gate.set()
        del sys.modules["mine_gate"]


async def test_threads_that_hang_are_bounded_and_what_never_began_is_not_in_doubt(
    file: Path,
) -> None:
    gate = threading.Event()
    sys.modules["mine_gate"] = gate  # type: ignore[assignment]
    before = threading.active_count()
    try:
        code = HEAD + "import mine_gate; mine_gate.wait()"
        settings = {"timeout_s": 0.1, "concurrency": 2, "ambiguous": "hold", "breaker_failures": 99}
        async with running(file, code, **settings) as house:
            for first in (1, 3, 5):
                house.send(first, first + 1)
                house.flow.release()
                await house.outcomes(first + 1)
            kinds = [type(one) for one in house.flow.outcomes]
            assert kinds == [Held, Held, TryLater, TryLater, TryLater, TryLater]
            assert threading.active_count() - before <= 4
    finally:
        gate.set()
        del sys.modules["mine_gate"]


async def test_a_changed_file_is_read_again_and_a_broken_one_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_LOOK_S", 0.0)

    async with running(file, HEAD + "return {'id': 'one'}") as house:
        assert await house.outcome(1) == Sent(1, "one")  # type: ignore[arg-type]
        write(file, HEAD + "return {'id': 'two'}", 1000)
        assert await house.outcome(2) == Sent(2, "two")  # type: ignore[arg-type]
        assert house.log.events.count("connector.file_loaded") == 1
        for at, broken in enumerate(("def send(:", "x = 1", "raise SystemError"), 2000):
            write(file, broken, at)
            assert await house.outcome(at) == Sent(at, "two")  # type: ignore[arg-type]
        assert house.log.events.count("connector.file_failed") == 3
        os.unlink(file)  # noqa: PTH108 - a test may block
        assert type(await house.outcome(9)) is Sent


async def test_a_file_that_breaks_at_the_start_stops_the_connector_only(file: Path) -> None:
    async with running(file, "raise OSError('no library')\n" + HEAD + "pass", stopped_s=0) as house:
        assert not house.outlet.is_up
        assert "no library" in house.log.named("connector.stopped")[0]["why"]
        write(file, HEAD + "return True")
        house.outlet.control("start")
        await eventually(lambda: house.outlet.is_up)
        assert type(await house.outcome()) is Sent


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "No such file"),
        ("def send(:", "is not Python"),
        ("def post(): pass", "defines no function send"),
        ("a = 1\x00", "is not Python"),
    ],
)
def test_check_names_what_is_wrong_with_the_file(file: Path, code: str | None, told: str) -> None:
    if code is not None:
        file.write_text(code)
    kinds = {name: one.config for name, one in REGISTRY.items()}
    errors = load(f'[outlets.x]\nkind = "custom"\nfile = "{file}"\n', kinds, {})
    assert isinstance(errors, list)
    assert errors[0].key == "outlets.x.file"
    assert told in errors[0].why


# --- the example ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (say_json({"id": "e1"}), Sent(1, "e1")),  # type: ignore[arg-type]
        (Say(400), Failed(1, Status.ESME_RSUBMITFAIL)),  # type: ignore[arg-type]
        (Say(401), TryLater(1, SYSERR)),  # type: ignore[arg-type]
        (Say(503), TryLater(1, SYSERR)),  # type: ignore[arg-type]
        (Say(200, b"?"), TryLater(1, SYSERR)),  # type: ignore[arg-type]
    ],
)
async def test_the_example_works(answer: Answer, outcome: Outcome) -> None:
    def seen(one: Seen) -> Answer:
        assert one.json == {
            "account": "main",
            "from": "Shop",
            "to": "+41791234567",
            "text": "Hello",
            "flash": False,
        }
        assert one.headers["x-auth"] == "bob:pw"
        return answer

    kinds = {name: one.config for name, one in REGISTRY.items()}
    async with serving(seen) as web:
        toml = f"""
[outlets.x]
kind = "custom"
file = "{EXAMPLE}"
username = "bob"
password = "pw"
account = "main"
url = "{web.url}"
"""
        config = load(toml, kinds, {})
        assert isinstance(config, Config), config
        async with driving("custom", config.outlets["x"].settings, web) as house:
            assert await house.outcome() == outcome
