"""`smsc account|credit|contacts|inbox`: the same on a gateway that runs and on its store."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdu.status import Vendor
from smsc import cli
from smsc.directory import profiles
from tests.fakes.house import SIMULATOR, RunningGateway, StartGateway
from tests.foreign.esme import Esme
from tests.smsc.directory.rooms import quick_hash

Capture = pytest.CaptureFixture[str]
TOML = (
    """
[accounts.demo]
password = "demo"
[accounts.shop]
password = "shop"
credit = 10
[[mo_routes]]
to = ["12345"]
account = "demo"
"""
    + SIMULATOR
)

ON_GATEWAY = pytest.mark.parametrize("line", ["gateway"], indirect=True)


class Line:
    """The command line over one data directory; `gateway` runs on it, or none does."""

    def __init__(self, config: Path, capsys: Capture, gateway: RunningGateway | None) -> None:
        self.config = config
        self.gateway = gateway
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """What a command prints; it must end well."""
        status, out, err = self.status(*words)
        assert status == 0, err
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    def status(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        status = cli.app([*words, "--config", str(self.config)])
        told = self._capsys.readouterr()
        return int(status), told.out, told.err

    def refused(self, *words: str) -> str:
        status, _, err = self.status(*words)
        assert status == 1
        assert err.startswith("smsc: ")
        return err

    def account(self, name: str) -> dict[str, Any]:
        (row,) = self.json("account", "list", name)
        return dict(row)


@pytest.fixture(params=["gateway", "store"])
def line(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: Capture,
    start_gateway: StartGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> Line:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(profiles, "hash_password", quick_hash)
    config = tmp_path / "smsc.toml"
    config.write_text(f'[node]\ndata_dir = "{tmp_path / "a"}"\n{TOML}')
    return Line(config, capsys, start_gateway(TOML) if request.param == "gateway" else None)


def test_an_account_from_its_making_to_its_end(line: Line) -> None:
    row = line.json(
        "account",
        "add",
        "bob",
        "name=Bob Builder",
        "email=bob@example.org",
        "rate=5",
        'senders=["Bob"]',
        "credit=2.5",
        "--password",
        "secret",
    )
    assert (row["account"], row["name"], row["status"]) == ("bob", "Bob Builder", "user")
    assert row == line.account("bob") == line.account("bob@example.org")
    assert row["credit"] == {"": "2.5"}
    assert line.json("account", "set", "bob", "rate=", "mobile=+4179", "status=admin")["rate"] == 0
    assert line.account("bob")["mobile"] == "+4179"
    assert line.account("bob")["settings"] == {"senders": ["Bob"], "credit": 2.5}
    assert line.account("bob")["status"] == "admin"
    assert line("account", "ban", "bob") == ""
    assert line.account("bob")["is_banned"]
    line("account", "unban", "bob")
    assert not line.account("bob")["is_banned"]
    assert len(line("account", "token", "bob").strip()) == 32
    assert len(line.json("account", "login-key", "bob")["login_key"]) == 32
    assert line.account("bob")["has_token"]
    listed = line("account", "list")
    for word in ("bob", "run time", "file", "2.5", "unlimited"):
        assert word in listed
    line("account", "remove", "bob")
    assert "no account 'bob'" in line.refused("account", "list", "bob")


def test_without_a_password_one_is_made_and_printed_once(line: Line) -> None:
    out = line("account", "add", "bob")
    password = out.split("password")[1].strip()
    assert len(password) == 12
    assert password not in line("account", "list", "bob")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("account", "add", "demo"), "there is an account demo already"),
        (("account", "add", "bob", "rate=fast"), "accounts.bob.rate"),
        (("account", "add", "bob", "nonsense=1"), "nonsense"),
        (("account", "add", "bob", "nonsense"), "expected KEY=VALUE"),
        (("account", "add", "bob", "status=king"), "expected one of admin, user, subuser"),
        (("account", "add", "bob", "--password-env", "NO_SUCH_VARIABLE"), "no variable"),
        (("account", "set", "demo", "rate=5"), "stands in the configuration file"),
        (("account", "set", "nobody", "name=x"), "no account 'nobody'"),
        (("account", "remove", "demo"), "stands in the configuration file"),
        (("account", "ban", "nobody"), "no account 'nobody'"),
        (("credit", "add", "demo", "5"), "without limit"),
        (("credit", "add", "shop", "five"), "expected an amount"),
        (("credit", "deduct", "shop", "11"), "it cannot change by -11"),
        (("credit", "show", "nobody"), "no account 'nobody'"),
        (("contacts", "export", "nobody"), "no account 'nobody'"),
        (("contacts", "import", "demo", "/nowhere.csv"), "cannot be read"),
        (("inbox", "export"), "name an account, or say --sandbox"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(line: Line, words: tuple[str, ...], why: str) -> None:
    assert why in line.refused(*words)


def test_credit_is_moved_and_explained(line: Line) -> None:
    assert line("credit", "add", "shop", "0.1", "--why", "invoice 7") == "10.1\n"
    assert line("credit", "deduct", "shop", "10.05") == "0.05\n"
    assert line("credit", "add", "shop", "1", "--class", "foreign") == "1\n"
    (row,) = line.json("credit", "show", "shop")
    assert row == {"account": "shop", "credit": {"": "0.05", "foreign": "1"}}
    lines = line.json("credit", "ledger", "shop")
    assert [(one["amount"], one["why"]) for one in lines] == [
        ("1", "added"),
        ("-10.05", "deducted"),
        ("0.1", "invoice 7"),
        ("10", "opening balance"),
    ]
    newest = lines[1]["number"]
    older = line.json("credit", "ledger", "shop", "--below", str(newest), "--limit", "1")
    assert [one["why"] for one in older] == ["invoice 7"]
    assert "invoice 7" in line("credit", "ledger", "shop")
    assert "0.05, foreign 1" in line("credit", "show")


def test_a_phonebook_goes_out_and_in(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        'number,name,groups\n+41791234567,Ann,staff;vip\n,Nobody,\n0791234567,"Bob, Jr.",staff\n\n',
        "utf-8",
    )
    status, out, err = line.status("contacts", "import", "demo", str(file))
    assert (status, out) == (1, "2 added, 1 left out\n")
    assert "in.csv, line 3: " in err
    exported = tmp_path / "out.csv"
    line("contacts", "export", "demo", str(exported))
    assert exported.read_text("utf-8") == (
        "name,number,email,tags,groups\n"
        "Ann,+41791234567,,,staff;vip\n"
        '"Bob, Jr.",0791234567,,,staff\n'
    )
    line("contacts", "import", "shop", str(exported))
    assert line.json("contacts", "export", "shop") == line.json("contacts", "export", "demo")


@ON_GATEWAY
def test_a_long_phonebook_goes_in_pages(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    rows = [f"N{number},4179{number:07}" for number in range(1203)]
    file.write_text("\n".join(["name,number", *rows]) + "\n")
    assert line("contacts", "import", "demo", str(file)) == "1203 added\n"
    assert len(line.json("contacts", "export", "demo")) == 1203


def test_an_inbox_goes_out_and_in(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        "received,kind,from,to,keyword,text\n"
        '2026-11-28T07:00:00+00:00,keyword,41791,12345,STOP,"stop, ""now"""\n'
        "yesterday,keyword,1,2,X,x\n"
        "2026-11-28T08:00:00+01:00,bag,1,2,X,x\n"
    )
    status, out, err = line.status("inbox", "import", "demo", str(file))
    assert (status, out) == (1, "1 added, 2 left out\n")
    assert "line 3: received: expected a time" in err
    assert "line 4: kind: expected one of" in err
    assert line("inbox", "export", "demo") == (
        "received,kind,from,to,keyword,text,outlet\n"
        '2026-11-28T07:00:00.000+00:00,keyword,41791,12345,STOP,"stop, ""now""",\n'
    )
    assert line("inbox", "export", "--sandbox") == "received,kind,from,to,keyword,text,outlet\n"


@pytest.mark.parametrize(
    "text", ["", "x,y\n", "name\n", "name,number,\n", 'name,number\n"a', "name,number\na,b,c\n"]
)
def test_files_of_another_kind_are_refused(line: Line, tmp_path: Path, text: str) -> None:
    file = tmp_path / "in.csv"
    file.write_text(text)
    assert str(file) in line.refused("contacts", "import", "demo", str(file))


@ON_GATEWAY
def test_the_gateway_hears_at_once_what_people_do(line: Line) -> None:
    assert line.gateway is not None
    line("account", "add", "bob", "credit=2", "--password", "secret")
    esme = Esme(line.gateway.port)
    esme.bind(name="bob", password="secret")
    for _ in range(3):
        esme.submit(registered_delivery=0)
    esme.read_until(responses=3)
    statuses = {one.sequence: one.status for one in esme.responses}  # smpplib tells errors twice
    assert list(statuses.values()) == [0, 0, Vendor.SMSC_NO_CREDIT]
    esme.responses.clear()
    assert line.json("credit", "show", "bob")[0]["credit"] == {"": "0"}
    line("credit", "add", "bob", "1")
    esme.submit(registered_delivery=0)
    esme.read_until(responses=1)
    assert esme.responses[-1].status == 0
    line("account", "ban", "bob")
    assert esme.read_pdu().command == "unbind"
    esme.submit(registered_delivery=0)  # it does not go: what it sends is refused
    assert esme.read_pdu().status != 0
    esme.close()
    again = Esme(line.gateway.port)
    with pytest.raises(Exception, match="Bind Failed"):
        again.bind(name="bob", password="secret")
    again.close()
    events = line.gateway.log.named("control.asked")
    assert {"accounts.add", "credit.move", "accounts.ban"} <= {one["verb"] for one in events}
    assert "secret" not in repr(line.gateway.log.entries)


@ON_GATEWAY
def test_a_store_that_a_gateway_has_is_left_alone(line: Line, tmp_path: Path) -> None:
    assert line.gateway is not None
    (tmp_path / "a" / "control").unlink()  # its door is gone, and it runs on
    assert "in use by another smsc process" in line.refused("account", "list")
