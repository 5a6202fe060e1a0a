"""What an HTTP request costs: CPU µs for a message, of the pure part and of the whole server.

*In*: nothing; run `python -m bench.http [COUNT] [--dir DIR]`. *Out*: a table on stdout.
*Never*: what a server can do under load; `bench/end_to_end.py` has that.

CPU time of the process (`time.process_time`), so that a busy machine does not matter much.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import orjson

from bench.http_sends import measure
from bridges.http.dialects import rest, rest_quick, rest_replies
from smsc.message import AccountId, MessageId
from smsc.ports import Admission, Admitted

_ACCOUNT = AccountId("load")
_NOW_MS = 1_790_000_000_000
_BATCH = 100


@attrs.frozen
class Row:
    """One line of the table."""

    what: str
    cpu_us: float
    """For a message."""


def bodies(batch: int = _BATCH) -> bytes:
    """A request of the load client."""
    return orjson.dumps(
        [
            {"from": "Load", "to": f"4179{number:07d}", "text": "Your parcel arrives today."}
            for number in range(batch)
        ]
    )


def pure_rows(count: int) -> list[Row]:
    """Each step of `POST /v1/messages` with batches, without a server."""
    body, items = bodies(), orjson.loads(bodies())
    admissions: list[Admission] = [Admitted(MessageId(9 << 59 | n)) for n in range(_BATCH)]
    batch = rest.parse_batch(items, _ACCOUNT, _NOW_MS)
    assert isinstance(batch, rest.Batch)

    def slowly() -> None:
        for item in items:
            rest.parse_slowly(item, _ACCOUNT, _NOW_MS)

    def quickly() -> None:
        for item in items:
            rest_quick.read(item, _ACCOUNT, rest_quick.PLAIN)

    steps: dict[str, Callable[[], object]] = {
        "loads": lambda: rest.loads(body),
        "parse, the slow way": slowly,
        "parse, the quick way": quickly,
        "answer": lambda: rest_replies.admissions_reply(batch, admissions),
    }
    return [Row(what, _cpu_us(step, count) / _BATCH) for what, step in steps.items()]


def _cpu_us(step: Callable[[], object], count: int) -> float:
    """CPU µs of one call; the best of three runs."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(count):
            step()
        best = min(best, time.process_time() - started)
    return best / count * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.http", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=200, help="requests of each kind")
    parser.add_argument("--dir", type=Path, help="where the stores are put")
    options = parser.parse_args()
    print("CPU µs for a message, POST /v1/messages in batches of 100")
    for row in pure_rows(options.count):
        print(f"{row.what:24}{row.cpu_us:8.2f}")
    print("\none request at a time    messages/s  CPU µs each")
    for sent in measure(options.count, options.dir):
        figures = sent.wrong or f"{sent.per_s:11.0f}{sent.cpu_us:13.0f}"
        print(f"{sent.name:24}{figures}")


if __name__ == "__main__":
    main()
