"""`smsc callbacks …`: how callback hosts and copies do, and what was set aside tried again.

*In*: arguments. *Out*: a table or JSON; exit status as `smsc.cli_control` has it.
*Never*: a gateway's store touched from here: the gateway does what is asked.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from smsc.cli_control import DEFAULT_CONFIG, AsJson, ConfigFile, DataDir, talk

app = cyclopts.App(
    name="callbacks", help="See callbacks of the gateway that runs here, and try them again."
)
Host = Annotated[
    str, Parameter(help="The host, as name, name:port, URL or mailbox; all hosts without one.")
]


@app.command(name="list")
def list_callbacks(
    *, config: ConfigFile = DEFAULT_CONFIG, data_dir: DataDir = None, json: AsJson = False
) -> int:
    """List hosts, queues and copies: what is under way, what is wrong, how much is set aside."""
    return talk(config, data_dir, "callbacks.list", json=json, show=_print_rows)


@app.command
def retry(
    host: Host = "",
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Try again what was set aside; hosts that were left alone for their failures at once."""
    return talk(config, data_dir, "callbacks.retry", {"host": host}, json=json, show=_print_retried)


def _print_rows(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print("nothing is on its way to a callback, and nothing is set aside")
        return
    table = Table("mailbox", "in flight", "to try again", "set aside", "state")
    for row in rows:
        table.add_row(
            str(row["mailbox"]),
            str(row.get("in_flight", 0)),
            str(row.get("waiting", 0)),
            str(row.get("set_aside", 0)),
            _state(row),
        )
    Console().print(table)


def _state(row: Mapping[str, Any]) -> str:
    """One word, and why."""
    why = row.get("last_failure") or ""
    if row.get("paused_s"):
        return f"paused for {row['paused_s']:g} s: {why}"
    if not row.get("connected", True):
        return f"no broker: {why}" if why else "no broker yet"
    return f"failing: {why}" if why else "well"


def _print_retried(value: Mapping[str, Any]) -> None:
    print(f"{value['deliveries']} deliveries are tried again")
