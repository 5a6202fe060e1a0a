"""`smsc outlets …` against a gateway that runs: what people see, and what they may do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsc import cli
from smsc.message import MessageId, State
from tests.fakes.hostile import HostileCarrier
from tests.fakes.house import RunningGateway, StartGateway
from tests.fakes.reloadable import ReloadableGateway
from tests.flow.test_carrier_cuts import CARRIER, NODE, states_now, submit
from tests.smsc.gateway.test_reloading import DEMO_TOML, SIM

Capture = pytest.CaptureFixture[str]
HELD = """
[accounts.demo]
password = "demo"
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
window = 5
ambiguous = "hold"
reconnect_s = 0.01
[outlets.other]
kind = "smpp"
host = "127.0.0.1"
port = 1
system_id = "gw"
[[routes]]
outlets = ["carrier", "other"]
"""


class Row(dict[str, Any]):
    """One outlet as `smsc outlets --json` tells it."""


@pytest.fixture
def rows(tmp_path: Path, capsys: Capture) -> Callable[[], dict[str, Row]]:
    """What `smsc outlets --json` says of the gateway "node", by outlet."""

    def ask() -> dict[str, Row]:
        capsys.readouterr()
        assert cli.app(["outlets", "--data-dir", str(tmp_path / "node"), "--json"]) == 0
        return {row["name"]: Row(row) for row in json.loads(capsys.readouterr().out)}

    return ask


def asked(tmp_path: Path, *words: str) -> int:
    return int(cli.app(["outlets", *words, "--data-dir", str(tmp_path / "node")]))


def test_a_link_at_work(
    start_gateway: StartGateway, rows: Callable[[], dict[str, Row]], tmp_path: Path
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    node = start_gateway(NODE.format(port=carrier.port, ambiguous="resend"), "node")
    ids = submit(node, 20)
    node.wait_until(lambda: states_now(node, ids) == {State.DELIVERED})
    row = rows()["carrier"]
    assert (row["state"], row["bound"], row["binds"]) == ("up", 1, 1)
    assert (row["window_used"], row["window"]) == (0, 50)
    assert (row["queue"], row["oldest_s"], row["held_messages"]) == (0, None, 0)
    assert (row["sent"], row["accepted"], row["errors"]) == (20, 20, {})
    assert 0 <= row["uptime_s"] < 60
    assert 0 <= row["heard_s_ago"] < 60
    assert 0 <= row["written_s_ago"] < 60
    assert row["rate"] > 0


def test_what_waits_counts_for_the_outlet_that_would_be_given_it(
    start_gateway: StartGateway, rows: Callable[[], dict[str, Row]], tmp_path: Path
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    node = start_gateway(NODE.format(port=carrier.port, ambiguous="resend"), "node")
    node.wait_for_event("link.bound")
    assert asked(tmp_path, "stop", "carrier") == 0
    node.wait_for_event("link.down")
    ids = submit(node, 3)
    row = rows()["carrier"]
    assert (row["state"], row["queue"]) == ("stopped", 3)
    assert 0 <= row["oldest_s"] < 60
    assert asked(tmp_path, "start", "carrier") == 0
    node.wait_until(lambda: states_now(node, ids) == {State.DELIVERED})
    assert rows()["carrier"]["queue"] == 0


def test_a_drain_lets_the_answers_come_and_then_unbinds(
    start_gateway: StartGateway, rows: Callable[[], dict[str, Row]], tmp_path: Path
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    node = start_gateway(NODE.format(port=carrier.port, ambiguous="resend"), "node")
    node.wait_for_event("link.bound")
    assert asked(tmp_path, "drain", "carrier") == 0
    assert rows()["carrier"]["state"] in {"draining", "stopped"}
    node.wait_for_event("link.down")
    assert rows()["carrier"]["state"] == "stopped"


@pytest.mark.parametrize(
    ("action", "state"), [("fail", State.UNDELIVERABLE), ("resend", State.DELIVERED)]
)
def test_messages_in_doubt_are_decided_on(
    start_gateway: StartGateway,
    rows: Callable[[], dict[str, Row]],
    tmp_path: Path,
    capsys: Capture,
    action: str,
    state: State,
) -> None:
    carrier = HostileCarrier()
    try:
        carrier.play(["refuse", "vendor", "cut"])
        node = start_gateway(HELD.format(port=carrier.port), "node")
        node.wait_for_event("link.bound")
        ids = submit_one_by_one(node, 3)
        node.wait_until(lambda: State.HELD in states_now(node, ids))
        row = rows()["carrier"]
        assert row["held_messages"] == 1
        assert row["errors"]["ESME_RINVDSTADR"] == 1
        assert sum(row["errors"].values()) == 2, "each status is counted"
        assert asked(tmp_path) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "ESME_RINVDSTADR 1" in shown
        assert "1 messages are held" in shown
        assert asked(tmp_path, action, "carrier") == 0
        node.wait_until(lambda: node.gateway.store.progress(ids[-1]).state is state)  # type: ignore[union-attr]
        assert rows()["carrier"]["held_messages"] == 0
    finally:
        carrier.close()


def submit_one_by_one(node: RunningGateway, count: int) -> list[MessageId]:
    """Each when the one before was answered: so the carrier's script meets them in order."""
    ids: list[MessageId] = []
    for _ in range(count):
        ids += submit(node, 1)
        node.wait_until(lambda: not node.gateway.dispatch.in_flight)
    return ids


def test_the_table_for_people(
    start_gateway: StartGateway, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    carrier = start_gateway(CARRIER, "carrier")
    node = start_gateway(NODE.format(port=carrier.port, ambiguous="resend"), "node")
    node.wait_for_event("link.bound")
    capsys.readouterr()
    assert asked(tmp_path) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if "carrier" in line]
    cells = [cell.strip() for cell in line.strip("│┃ ").split("│")]
    assert cells[:3] == ["carrier", "smpp", "up"]
    assert cells[6] == "0/50"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["stop", "nobody"], "outlet 'nobody' is unknown; known ones: net"),
        (["stop", "net"], "outlet 'net' has no connection to stop"),
    ],
)
def test_what_cannot_be(
    start_gateway: StartGateway, tmp_path: Path, capsys: Capture, words: list[str], why: str
) -> None:
    start_gateway(CARRIER, "node")
    capsys.readouterr()
    assert asked(tmp_path, *words) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"smsc: {why}\n")


def test_what_is_held_for_an_outlet_that_is_gone(tmp_path: Path, capsys: Capture) -> None:
    carrier = HostileCarrier()
    gateway = ReloadableGateway(tmp_path, HELD.format(port=carrier.port))
    try:
        gateway.wait_for_event("link.bound")
        carrier.play(["cut"])
        (id_,) = submit(gateway, 1)
        gateway.wait_until(lambda: states_now(gateway, [id_]) == {State.HELD})
        gateway.take(
            '[accounts.demo]\npassword = "demo"\n'
            '[outlets.sim]\nkind = "simulator"\n[[routes]]\noutlets = ["sim"]\n'
        )
        capsys.readouterr()
        where = ["--data-dir", str(tmp_path / "var")]
        assert cli.app(["outlets", "--json", *where]) == 0
        rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
        assert (rows["carrier"]["state"], rows["carrier"]["held_messages"]) == ("removed", 1)
        assert cli.app(["outlets", "stop", "carrier", *where]) == 1
        assert cli.app(["outlets", "resend", "carrier", *where]) == 0
        gateway.wait_until(lambda: states_now(gateway, [id_]) == {State.DELIVERED})
    finally:
        gateway.kill()
        carrier.close()


class TestReload:
    """`smsc reload`."""

    def test_a_good_file(self, tmp_path: Path, capsys: Capture) -> None:
        gateway = ReloadableGateway(tmp_path, DEMO_TOML + SIM)
        try:
            gateway.write(DEMO_TOML + "rate = 5\n" + SIM.replace("0.0", "0.1"))
            capsys.readouterr()
            assert cli.app(["reload", "--config", str(gateway.path)]) == 0
            assert capsys.readouterr().out == (
                f"{gateway.path} is in force.\n  outlets replaced: sim\n  accounts changed: demo\n"
            )
            assert cli.app(["reload", "--config", str(gateway.path), "--json"]) == 0
            done = json.loads(capsys.readouterr().out)
            assert done == {
                "file": str(gateway.path),
                "outlets": {"added": [], "replaced": [], "retuned": [], "removed": []},
                "accounts": [],
            }
        finally:
            gateway.kill()

    def test_a_bad_file(self, tmp_path: Path, capsys: Capture) -> None:
        gateway = ReloadableGateway(tmp_path, DEMO_TOML + SIM)
        try:
            gateway.write(DEMO_TOML + SIM + "[nonsense]\n[outlets.x]\nkind = 'what'\n")
            capsys.readouterr()
            assert cli.app(["reload", "--config", str(gateway.path)]) == 1
            out, err = capsys.readouterr()
            assert out == ""
            assert [line.split(":")[1] for line in err.splitlines()] == [
                " nonsense",
                " outlets.x.kind",
            ]
        finally:
            gateway.kill()

    def test_a_gateway_without_a_file(
        self, start_gateway: StartGateway, tmp_path: Path, capsys: Capture
    ) -> None:
        start_gateway(CARRIER, "node")
        assert cli.app(["reload", "--data-dir", str(tmp_path / "node")]) == 1
        assert "'reload' is unknown" in capsys.readouterr().err


class TestWhere:
    """How the command finds its gateway."""

    def test_the_configuration_names_the_directory(
        self, start_gateway: StartGateway, tmp_path: Path, capsys: Capture
    ) -> None:
        start_gateway(CARRIER, "node")
        config = tmp_path / "some.toml"
        capsys.readouterr()
        config.write_text(f'[node]\ndata_dir = "{tmp_path / "node"}"\n[nonsense]\n')
        assert cli.app(["outlets", "--config", str(config), "--json"]) == 0
        assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["net"]

    @pytest.mark.parametrize("text", ["", "[node]\n", "node = 1\n", "[node]\ndata_dir = 1\n"])
    def test_the_default_is_that_of_the_gateway(
        self, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "smsc.toml").write_text(text)
        assert cli.app(["outlets"]) == 1
        assert "no gateway runs on var" in capsys.readouterr().err

    def test_without_any_file(
        self, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert cli.app(["outlets"]) == 1
        assert "no gateway runs on var" in capsys.readouterr().err

    def test_a_file_that_is_no_toml(self, tmp_path: Path, capsys: Capture) -> None:
        config = tmp_path / "some.toml"
        config.write_text("[node\n")
        assert cli.app(["outlets", "--config", str(config), "--json"]) == 1
        out, err = capsys.readouterr()
        assert "say --data-dir" in err
        assert "say --data-dir" in json.loads(out)["why"][0]
