"""The benchmark of the store runs and prints a rate for every line."""

import subprocess
import sys
from pathlib import Path


def test_bench_commit_prints_its_table(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.commit", "--seconds", "0.02", "--dir", str(tmp_path)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith(("accept", "journal"))]
    assert [(row[0], int(row[1])) for row in rows] == [
        (what, size) for what in ("accept", "journal") for size in (1, 10, 100, 1000)
    ]
    assert all(int(row[2].replace(",", "")) > 0 for row in rows)
    assert list(tmp_path.iterdir()) == []
