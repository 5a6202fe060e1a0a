"""Saved results and their comparison."""

import datetime as dt
import io
from pathlib import Path

import orjson
from rich.console import Console

from bench.__main__ import save
from bench.compare import comparison
from bench.end_to_end import Measured

NOW = dt.datetime(2026, 11, 22, 7, 5, tzinfo=dt.UTC)


def result(tmp_path: Path, rate: float, cpu: str = "ACME (R) 9000") -> Path:
    measured = {
        "accept": Measured(what="accept", figures={"submits_per_s": rate, "submit_p50_ms": None}),
        "http": Measured(what="http", figures={"messages_per_s": 5.0}, errors={"HTTP 503": 2}),
    }
    name = save({"cpu": cpu, "cores": 2}, {"routing": ["key 0.4 µs"]}, measured, NOW, tmp_path)
    return tmp_path / name


def test_a_result_is_named_by_date_and_machine_and_holds_all(tmp_path: Path) -> None:
    file = result(tmp_path / "results", 1000.0)
    assert file.name == "2026-11-22-0705-acme-r-9000-2-cores.json"
    content = orjson.loads(file.read_bytes())
    assert content["machine"]["cores"] == 2
    assert content["end_to_end"]["accept"] == {"submits_per_s": 1000.0, "submit_p50_ms": None}
    assert content["errors"] == {"http": {"HTTP 503": 2}}
    assert content["micro"] == {"routing": ["key 0.4 µs"]}


def test_a_comparison_shows_ratios_and_facts_that_differ(tmp_path: Path) -> None:
    before = orjson.loads(result(tmp_path / "1", 1000.0).read_bytes())
    after = orjson.loads(result(tmp_path / "2", 2500.0, cpu="Other").read_bytes())
    out = io.StringIO()
    Console(file=out, width=120).print(comparison(before, after))
    text = out.getvalue()
    assert "ACME (R) 9000" in text
    assert "2,500.0" in text
    assert "2.50" in text
    assert "cores" not in text
    assert "p50" not in text, "a figure that one of them lacks has no ratio"
