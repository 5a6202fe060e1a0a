"""`smsc outlets …`, `smsc reload`, and what every command shares that talks to a gateway that runs.

*In*: arguments. *Out*: tables or JSON; exit status: 0 done, 1 refused, or no gateway there.
*Never*: a gateway's store or configuration touched from here: the gateway does what is asked.
"""

import json as json_text
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import cyclopts
from cyclopts import Parameter

from smsc.control.client import NoGateway, ask
from smsc.control.verbs import Declined, Told

outlets = cyclopts.App(
    name="outlets", help="See and control the outlets of the gateway that runs on this machine."
)

DEFAULT_CONFIG: Final = Path("smsc.toml")
DEFAULT_DATA_DIR: Final = Path("var")
ConfigFile = Annotated[
    Path, Parameter(name="--config", help="The gateway's TOML file, which names its data_dir.")
]
DataDir = Annotated[
    Path | None,
    Parameter(name="--data-dir", help="The gateway's data_dir, when the file need not be read."),
]
Name = Annotated[str, Parameter(help="The outlet, as [outlets.NAME] calls it.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Print one JSON value.")]


@outlets.default
def list_outlets(
    *, config: ConfigFile = DEFAULT_CONFIG, data_dir: DataDir = None, json: AsJson = False
) -> int:
    """List every outlet: state, window, pace, what waits for it, errors by status."""
    return talk(config, data_dir, "outlets.list", json=json, show=_print_outlets)


@outlets.command
def start(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Bind a link that was stopped or drained; the others do not notice."""
    return _control(config, data_dir, name, "start", json=json)


@outlets.command
def stop(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Unbind a link now; what waits for it goes to other outlets of its routes."""
    return _control(config, data_dir, name, "stop", json=json)


@outlets.command
def drain(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Give a link nothing new, wait for its answers, then unbind it."""
    return _control(config, data_dir, name, "drain", json=json)


@outlets.command
def resend(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Send again what is held for an outlet, since nobody knows whether its network has it."""
    return _control(config, data_dir, name, "resend", json=json)


@outlets.command
def fail(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """End what is held for an outlet as UNDELIVERABLE."""
    return _control(config, data_dir, name, "fail", json=json)


def reload(
    *, config: ConfigFile = DEFAULT_CONFIG, data_dir: DataDir = None, json: AsJson = False
) -> int:
    """Let the gateway that runs read its configuration file again: all of it, or nothing.

    Exit status 1, with every mistake, when the file cannot be taken over; then nothing changes.
    """
    return talk(config, data_dir, "reload", json=json, show=_print_reloaded)


def talk(
    config: Path,
    data_dir: Path | None,
    verb: str,
    arguments: Mapping[str, Any] = MappingProxyType({}),
    *,
    json: bool = False,
    show: Callable[[Any], None] = lambda _value: None,
) -> int:
    """Ask the gateway one thing and print the answer: by `show`, or as JSON. The exit status."""
    where = data_dir or data_dir_of(config)
    if isinstance(where, str):
        return _refuse((where,), json=json)
    match ask(where, verb, arguments):
        case Told(value):
            if json:
                print(json_text.dumps(value))
            else:
                show(value)
            return 0
        case Declined(why):
            return _refuse(why, json=json)
        case NoGateway(why):
            return _refuse((why,), json=json)


def data_dir_of(config: Path) -> Path | str:
    """The data_dir that a file names, whatever else is wrong with it; or why none can be found."""
    try:
        node = tomllib.loads(config.read_text("utf-8")).get("node", {})
    except FileNotFoundError:
        return DEFAULT_DATA_DIR
    except (OSError, ValueError, RecursionError) as error:
        return f"{config} cannot be read: {error}; say --data-dir"
    named = node.get("data_dir") if isinstance(node, dict) else None
    return Path(named) if isinstance(named, str) else DEFAULT_DATA_DIR


def _control(config: Path, data_dir: Path | None, name: str, action: str, *, json: bool) -> int:
    wish = {"outlet": name, "action": action}
    return talk(config, data_dir, "outlets.control", wish, json=json)


def _refuse(why: tuple[str, ...], *, json: bool) -> int:
    if json:
        print(json_text.dumps({"why": list(why)}))
    for sentence in why:
        print(f"smsc: {sentence}", file=sys.stderr)
    return 1


def _print_reloaded(done: Mapping[str, Any]) -> None:
    print(f"{done['file']} is in force.")
    for what, names in (*done["outlets"].items(), ("changed", done["accounts"])):
        if names:
            noun = "accounts" if what == "changed" else "outlets"
            print(f"  {noun} {what}: {', '.join(names)}")


def _print_outlets(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "outlet", "kind", "state", "up for", "heard", "sent", "window", "rate/s", "queue", "oldest"
    )
    for row in rows:
        table.add_row(
            str(row["name"]),
            str(row.get("kind", "")),
            _state(row),
            _span(row.get("uptime_s")),
            _span(row.get("heard_s_ago"), " ago"),
            _span(row.get("written_s_ago"), " ago"),
            f"{row['window_used']}/{row['window']}" if "window_used" in row else "",
            f"{row['rate']:g}" if "rate" in row else "",
            str(row["queue"]),
            _span(row["oldest_s"]),
        )
    console = Console()
    console.print(table)
    for row in rows:
        if row.get("why"):
            console.print(f"{row['name']}: {row['why']}")
        errors = row.get("errors") or {}
        if errors:
            told = ", ".join(f"{status} {count}" for status, count in errors.items())
            console.print(f"{row['name']}: errors: {told}")
        if row["held_messages"]:
            console.print(
                f"{row['name']}: {row['held_messages']} messages are held, since nobody knows "
                f"whether the network has them: smsc outlets resend|fail {row['name']}"
            )


def _state(row: Mapping[str, Any]) -> str:
    """With how many of its connections are there, when it should have several."""
    state = str(row["state"])
    return f"{state} {row['bound']}/{row['binds']}" if row.get("binds", 1) > 1 else state


def _span(seconds: float | None, behind: str = "") -> str:
    """A time span as people say it: 0.4 s, 12 s, 5 min, 3 h, 2 d."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}{behind}"
    return f"{seconds:.1f} s{behind}"
