"""`smsc connectors`: one message by one connector's settings alone, each step shown."""

import json
import time
from pathlib import Path

import pytest

from smsc.cli import app
from tests.fakes.services.clickatell import FakeClassic, FakePlatform
from tests.fakes.services.ovh import AK, AS, CK, FakeRest
from tests.fakes.services.twilio import TOKEN, FakeTwilio
from tests.fakes.services.web import Cut, FakeWeb, Handler, Say, Seen, serving_aside

SECRETS = ("the-key==", "p&ss", "p%26ss", AS, CK, AK, TOKEN)
CONFIG = """
[outlets.sim]
kind = "simulator"
[outlets.online]
kind = "clickatell"
url = "{url}"
key = "the-key=="
[outlets.old]
kind = "clickatell"
api = "classic"
url = "{url}"
api_id = "3442"
user = "bob"
password = "p&ss"
[outlets.french]
kind = "ovh"
url = "{url}/1.0"
account = "sms-xx11111-1"
application_key = "app-key"
application_secret = "app-secret"
consumer_key = "consumer"
[outlets.tw]
kind = "twilio"
url = "{url}"
account_sid = "AC00000000000000000000000000000000"
auth_token = "auth-token"
[outlets.parted]
kind = "template"
url = "{url}/send?key={{password}}"
password = "p&ss"
long_text = "parts"
[outlets.parted.form]
to = "{{to}}"
text = "{{text}}"
udh = "{{udh_hex}}"
[outlets.mine]
kind = "custom"
file = "{file}"
"""
CUSTOM = (
    "def send(message, number, flash, sender, *more):\n    return {'id': message + str(flash)}\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CUSTOM)
    return tmp_path / "smsc.toml"


def write(config: Path, web: FakeWeb) -> None:
    config.write_text(CONFIG.format(url=web.url, file=config.parent / "mine.py"))


def run(config: Path, *arguments: str) -> int:
    status = app(["connectors", *arguments, "--config", str(config)])
    assert isinstance(status, int)
    return status


MESSAGE = ("--to", "+41791234567", "--text", "hello there", "--from", "Shop")


def test_each_step_is_shown_and_no_secret(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakePlatform()
    with serving_aside(fake) as web:
        write(config, web)
        assert run(config, "test", "online", *MESSAGE) == 0
    told = capsys.readouterr().out
    assert f"request:\n  POST {web.url}/messages\n  Authorization: ***\n" in told
    assert '{"content":"hello there","from":"Shop","to":["41791234567"]}' in told
    assert "answer:\n  HTTP 202\n" in told
    assert f"outcome:\n  taken, the service calls it '{1:032x}' (" in told
    assert "the-key==" not in told
    assert len(fake.taken) == 1


@pytest.mark.parametrize("name", ["online", "old", "french", "tw"])
def test_no_service_gets_its_secrets_shown(
    config: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    fakes: dict[str, Handler] = {"online": FakePlatform(), "old": FakeClassic(), "tw": FakeTwilio()}
    with serving_aside(lambda _: Say()) as web:
        rest = FakeRest(web.url)
        web.answer = fakes.get(name, rest)
        if name == "french":
            rest.clock = int(time.time())
        write(config, web)
        assert run(config, "test", name, *MESSAGE) == 0
    told = capsys.readouterr().out
    assert "***" in told
    for secret in SECRETS:
        assert secret not in told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (FakePlatform(("25", "no such number")), "declined, permanent, code 25: no such number"),
        (FakePlatform(("1", "wrong key")), "the connector would stop and raise an alarm"),
        (FakePlatform(("18", "later")), "another outlet, or a later attempt, would follow"),
        (lambda _: Say(429), "slow down"),
        (lambda _: Say(202, b"?"), "in doubt: the answer names no message"),
        (lambda _: Cut(), "the gateway would send it again"),
    ],
)
def test_what_went_wrong_and_what_would_follow(
    config: Path, capsys: pytest.CaptureFixture[str], answer: object, told: str
) -> None:
    with serving_aside(answer) as web:  # type: ignore[arg-type]  # each is a handler
        write(config, web)
        assert run(config, "test", "online", *MESSAGE) == 1
    assert told in capsys.readouterr().out


def test_nobody_listens(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving_aside(FakePlatform()) as web:
        write(config, web)
    assert run(config, "test", "online", *MESSAGE) == 1
    assert "not sent: ConnectError" in capsys.readouterr().out


def test_parts_are_shown_one_by_one_and_masked_in_urls(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Seen] = []

    def answer(one: Seen) -> Say:
        seen.append(one)
        return Say(200, b"ok p&ss")

    with serving_aside(answer) as web:
        write(config, web)
        assert run(config, "test", "parted", "--to", "4179", "--text", "a" * 200) == 0
    told = capsys.readouterr().out
    assert "part 1 of 2: taken" in told
    assert "part 2 of 2: taken" in told
    assert "/send?key=***" in told
    assert "ok ***" in told
    assert [one.query["key"] for one in seen] == ["p&ss", "p&ss"]


def test_flash_and_custom_and_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving_aside(lambda _: Say()) as web:
        write(config, web)
        assert run(config, "test", "mine", "--to", "4179", "--text", "x", "--flash", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["taken"] is True
    assert told["steps"][-1]["lines"][0].startswith("taken, the service calls it 'xTrue'")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "outlet 'nobody' is unknown; connectors here: online, old, french"),
        ("sim", "outlet 'sim' is of kind 'simulator', no connector"),
    ],
)
def test_only_connectors_can_be_tried(
    config: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    write(config, FakeWeb(lambda _: Say(), port=9))
    assert run(config, "test", name, *MESSAGE) == 2
    assert told in capsys.readouterr().err


def test_a_number_that_is_none(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, FakeWeb(lambda _: Say(), port=9))
    assert run(config, "test", "online", "--to", "x", "--text", "hi") == 1
    assert "to: " in capsys.readouterr().out


@pytest.mark.parametrize(("name", "status", "told"), [("online", 0, "41.5"), ("mine", 1, "")])
def test_the_balance(
    config: Path, capsys: pytest.CaptureFixture[str], name: str, status: int, told: str
) -> None:
    with serving_aside(FakePlatform()) as web:
        write(config, web)
        assert run(config, "balance", name) == status
        assert capsys.readouterr().out.strip() == told
        assert run(config, "balance", name, "--json") == status
        assert json.loads(capsys.readouterr().out)["balance"] == (float(told) if told else None)
