"""`smsc load`: arguments, exit status, what is printed."""

import io
from typing import Any

import orjson
import pytest
from rich.console import Console

from bench import load_command as command
from bench.load import Latency, LoadPlan, LoadReport
from bench.load_tally import Tally

NO_LATENCY = Latency(p50_ms=None, p95_ms=None, p99_ms=None, max_ms=0.0)


def a_report(**more: Any) -> LoadReport:
    given: dict[str, Any] = {
        "sessions": 2,
        "submitted": 1200,
        "accepted": 1200,
        "seconds": 0.1,
        "submits_per_s": 12_000.0,
        "submit": Latency(p50_ms=1.0, p95_ms=2.0, p99_ms=3.25, max_ms=4.0),
        "receipts": 0,
        "receipts_per_s": 0.0,
        "receipt": NO_LATENCY,
        "states": {},
        "missing_receipts": 0,
        "stray_receipts": 0,
        "client_cpu_us": 2.0,
        "errors": {},
    }
    return LoadReport(**(given | more))


class Asked:
    """Stands in for the run: keeps the plan, gives the report."""

    def __init__(self, report: LoadReport) -> None:
        self.report = report
        self.plan: LoadPlan

    async def __call__(self, plan: LoadPlan, _watch: object, _stop: object) -> LoadReport:
        self.plan = plan
        return self.report


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked(a_report())
    monkeypatch.setattr(command, "run_load", asked)
    return asked


def load(**more: Any) -> int:
    given: dict[str, Any] = {
        "password": "secret",
        "password_env": None,
        "count": None,
        "seconds": None,
        "text": None,
        "json": False,
        "system_id": "demo",
    }
    return command.load_command(**(given | more))


def shown(report: LoadReport) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(command.table(report))
    return out.getvalue()


def test_arguments_become_the_plan(asked: Asked) -> None:
    assert load(count=7, window=3, receipts=True, text="Hi", from_="Shop") == 0
    plan = asked.plan
    assert (plan.count, plan.window, plan.receipts, plan.text) == (7, 3, True, "Hi")
    assert (plan.from_, plan.password, plan.seconds) == ("Shop", "secret", 10.0)


def test_the_password_may_come_from_the_environment(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOAD_PASSWORD", "hidden")
    assert load(password=None, password_env="LOAD_PASSWORD") == 0
    assert asked.plan.password == "hidden"
    assert "hidden" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"password": None}, "--password-env"),
        ({"password": None, "password_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"text": "x" * 300}, "one submit_sm holds 254"),
        ({"sessions": 0}, "'sessions' must be >= 1"),
        ({"window": 0}, "'window' must be >= 1"),
        ({"count": 0}, "'count' must be >= 1"),
        ({"seconds": 0.0}, "'seconds' must be > 0"),
        ({"to_prefix": "12345678901234567890"}, "smsc load: "),
    ],
)
def test_wrong_usage_is_a_sentence_and_status_2(
    more: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(**more) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 0),
        ({"stray_receipts": 4}, 0),
        ({"errors": {"ESME_RTHROTTLED": 1}}, 1),
        ({"missing_receipts": 1}, 1),
    ],
)
def test_the_exit_status_tells_errors(asked: Asked, more: dict[str, Any], status: int) -> None:
    asked.report = a_report(**more)
    assert load() == status


def test_json_is_one_line_with_every_figure(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.report = a_report(errors={"ESME_RTHROTTLED": 3})
    load(json=True)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    read = orjson.loads(out)
    assert read["submits_per_s"] == 12_000.0
    assert read["submit"] == {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.25, "max_ms": 4.0}
    assert read["errors"] == {"ESME_RTHROTTLED": 3}


def test_the_table_tells_rates_percentiles_and_errors() -> None:
    text = shown(a_report(errors={"ESME_RTHROTTLED": 3, "no answer": 1}))
    for fact in ("12,000", "1.0 ms", "p95 2.0", "p99 3.2", "ESME_RTHROTTLED", "no answer"):
        assert fact in text
    assert "receipt" not in text


def test_the_table_tells_receipts_that_are_missing_or_strange() -> None:
    latency = Latency(p50_ms=60.0, p95_ms=70.0, p99_ms=80.0, max_ms=90.0)
    text = shown(
        a_report(
            receipts=1000,
            receipts_per_s=9_500.0,
            receipt=latency,
            states={"DELIVRD": 990, "UNDELIV": 10},
            missing_receipts=200,
            stray_receipts=5,
        )
    )
    for fact in ("9,500", "DELIVRD 990, UNDELIV 10", "60.0 ms", "receipts missing", "200", "stray"):
        assert fact in text


def test_the_live_line_shows_rates_since_the_last_look() -> None:
    tally, pulse = Tally(wants_receipts=True), command.Pulse(10.0)
    tally.accepted = 500
    assert "1,000 submits/s" in pulse.line(tally, 10.5)
    tally.accepted, tally.receipts = 700, 300
    tally.errors["ESME_RTHROTTLED"] = 4
    line = pulse.line(tally, 11.5)
    for fact in ("1.5 s", "200 submits/s", "700 ok", "300 receipts/s", "4 errors"):
        assert fact in line


def test_a_pipe_gets_no_live_line() -> None:
    with command.watching(quiet=False) as watch:
        assert watch is None
