"""The command `smsc explain`: reads the wall clock, asks, prints.

*In*: loaded configurations and the arguments; of a gateway that runs, which outlets are up.
*Out*: text or JSON on standard output, an exit status: 0 told, 2 wrong usage.
*Never*: decides anything; `smsc.explain` and `smsc.replay` do.
"""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, cast

import orjson

from smsc.config import Config
from smsc.control.client import NoGateway, ask
from smsc.control.verbs import Declined, Told
from smsc.explain import Explainer, Health, Question
from smsc.replay import replay

_Rows: TypeAlias = list[dict[str, str]]
_HEALTH_S: Final = 5.0
"""How long a gateway may take to say which outlets are up."""


class _Told(Protocol):
    def lines(self) -> list[str]: ...
    def as_dict(self) -> dict[str, Any]: ...


def explain_command(
    config: Config,
    asked: Mapping[str, Any],
    *,
    at: datetime | None,
    replay_file: Path | None,
    candidate: Config | None,
    json: bool,
) -> int:
    """Explain one message, or replay a file of them.

    :param asked: fields of a `Question`.
    """
    at_ms = _at_ms(at)
    if (replay_file is None) != (candidate is None):
        return _wrong("give --replay and --candidate together, or neither")
    if replay_file is not None and candidate is not None:
        told = replay(replay_file, config, candidate, at_ms)
        if isinstance(told, str):
            return _wrong(told)
        return _print(told, json=json)
    if not asked["account"] or not asked["to"]:
        return _wrong("give --account and --to, or --replay and --candidate")
    question = Question(at_ms=at_ms, **asked)
    health = _health(config.node.data_dir)
    return _print(Explainer(config).explain(question, health), json=json)


def _health(data_dir: Path) -> Health:
    """What the gateway on that directory says of its outlets; why not when it says nothing."""
    answer = ask(data_dir, "outlets.list", timeout_s=_HEALTH_S)
    match answer:
        case NoGateway(why, is_nobody_there):
            return f"no gateway runs on {data_dir}" if is_nobody_there else why
        case Declined(why):
            return "; ".join(why)
        case Told(rows):
            return {row["name"]: row["state"] == "up" for row in cast(_Rows, rows)}


def _at_ms(at: datetime | None) -> int:
    if at is None:
        return time.time_ns() // 1_000_000
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _print(told: _Told, *, json: bool) -> int:
    if json:
        shown = orjson.dumps(told.as_dict(), option=orjson.OPT_INDENT_2).decode()
    else:
        shown = "\n".join(told.lines())
    sys.stdout.write(shown + "\n")
    return 0


def _wrong(why: str) -> int:
    sys.stderr.write(f"smsc: {why}\n")
    return 2
