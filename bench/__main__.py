"""Everything in short form: `python -m bench`, which is `make bench`.

*In*: a directory on the disk to measure, by default the working directory.
*Out*: the machine, the micro-benchmarks, the load end to end; with --save a file under results.
*Never*: more than a few minutes; a name of a host or a path in a saved result.
"""

import argparse
import datetime as dt
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import orjson

from bench.end_to_end import MEASUREMENTS, SECONDS, Measured, Place, measure
from bench.machine import facts, is_in_memory

MICRO: Final[dict[str, tuple[str, ...]]] = {
    "codec": (),
    "text": (),
    "routing": (),
    "commit": ("--seconds", "0.5"),
    "connectors": ("--seconds", "2"),
    "http": ("100",),
}
"""Modules of this package that have a command line, and what makes them short."""
_ON_DISK: Final = ("commit", "http")
_MICRO_LIMIT_S: Final = 60.0
# Rooms that are measured log; only errors may stand between the figures.
_QUIETLY: Final = """\
import logging, runpy, structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
runpy.run_module("bench.{name}", run_name="__main__", alter_sys=True)
"""
_RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """Measure, print, save; 1 when a message or a receipt was lost or refused."""
    options = _options()
    directory = options.dir.resolve()
    machine = facts(directory)
    for name, fact in machine.items():
        print(f"{name:<16} {fact}")
    if is_in_memory(str(machine["file_system"])):
        print("This file system is in memory: fsync costs nothing here. Choose another with --dir.")
    micro = {} if options.only else run_micro(directory)
    names = options.only or list(MEASUREMENTS)
    print("\n== end to end ==", flush=True)
    measured = measure(names, Place(directory=directory, seconds=options.seconds))
    if options.save:
        now = dt.datetime.now(dt.UTC)
        machine = {"date": f"{now:%Y-%m-%dT%H:%MZ}", "commit": _commit(), **machine}
        print("saved as", save(machine, micro, dict(zip(names, measured, strict=True)), now))
    return 1 if any(one.errors for one in measured) else 0


def run_micro(directory: Path) -> dict[str, list[str]]:
    """Run the micro-benchmarks that are there, each in a process of its own; their lines."""
    lines: dict[str, list[str]] = {}
    for name, arguments in MICRO.items():
        if importlib.util.find_spec(f"bench.{name}") is None:
            continue
        print(f"\n== bench.{name} ==", flush=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".bench-") as place:
            where = ("--dir", place) if name in _ON_DISK else ()
            command = [sys.executable, "-c", _QUIETLY.format(name=name), *arguments, *where]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, timeout=_MICRO_LIMIT_S, check=False
            )
        failed = f"bench.{name} failed with exit status {done.returncode}\n"
        output = done.stdout + (failed if done.returncode else "")
        print(output, end="", flush=True)
        lines[name] = output.splitlines()
    return lines


def save(
    machine: dict[str, str | int | float],
    micro: dict[str, list[str]],
    measured: dict[str, Measured],
    now: dt.datetime,
    results: Path = _RESULTS,
) -> str:
    """Write a result file named by date and machine; its name."""
    content: dict[str, Any] = {
        "machine": machine,
        "end_to_end": {name: one.figures for name, one in measured.items()},
        "errors": {name: one.errors for name, one in measured.items() if one.errors},
        "micro": micro,
    }
    slug = re.sub(r"\W+", "-", f"{machine['cpu']} {machine['cores']} cores").strip("-").lower()
    results.mkdir(exist_ok=True)
    file = results / f"{now:%Y-%m-%d-%H%M}-{slug}.json"
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return file.name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dir", type=Path, default=Path(), help="where the stores are put")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load")
    parser.add_argument("--only", nargs="+", choices=list(MEASUREMENTS), help="end to end, these")
    parser.add_argument("--save", action="store_true", help="keep the result under bench/results")
    return parser.parse_args()


def _commit() -> str:
    """The state of the source, if git knows it."""
    asked = ["git", "-C", str(_RESULTS.parent), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
