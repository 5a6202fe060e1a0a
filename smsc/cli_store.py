"""`smsc store …`: what an operator does with a store on disk, beside a gateway or without one.

*In*: arguments. *Out*: tables or JSON; exit status: 0 done and sound, 1 damaged or impossible.
*Never*: a change to a store.
"""

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

if TYPE_CHECKING:
    from smsc.store.audit import Report

app = cyclopts.App(name="store", help="Look after the store on disk: check it, back it up.")

_DATA_DIR = Path("var")
DataDir = Annotated[Path, Parameter(help="The directory that `[node] data_dir` names.")]


@app.command
def check(*, data_dir: DataDir = _DATA_DIR, json: bool = False) -> int:
    """Read every record: check sums, the ledger, alarms, upstream ids. Exit status 1 on damage.

    The gateway may be running. Nothing is changed.

    Parameters
    ----------
    json
        Print one JSON object.

    """
    from smsc.store.audit import audit
    from smsc.store.opening import StoreOpenError

    try:
        report = audit(data_dir)
    except StoreOpenError as error:
        print(f"smsc: {error}", file=sys.stderr)
        return 1
    if json:
        print(json_text.dumps(report.as_dict()))
    else:
        _print_report(report)
    return 0 if report.is_sound else 1


@app.command
def corrupt(*, data_dir: DataDir = _DATA_DIR) -> int:
    """List the corrupt records that were set aside: one JSON object a line, octets in hex."""
    from attrs import asdict

    from smsc.store.audit import set_aside
    from smsc.store.opening import StoreOpenError

    try:
        for one in set_aside(data_dir):
            print(json_text.dumps(asdict(one)))
    except StoreOpenError as error:
        print(f"smsc: {error}", file=sys.stderr)
        return 1
    return 0


@app.command
def backup(
    directory: Annotated[Path, Parameter(help="Where the copy goes; made if it is not there.")],
    *,
    data_dir: DataDir = _DATA_DIR,
) -> int:
    """Copy the store while the gateway writes. The copy is a data_dir: start a gateway on it."""
    from smsc.store.backup import back_up
    from smsc.store.opening import StoreOpenError

    try:
        done = back_up(data_dir, directory)
    except StoreOpenError as error:
        print(f"smsc: {error}", file=sys.stderr)
        return 1
    print(f"{done.file}: {done.octets / (1 << 20):.1f} MiB, everything answered so far is in it.")
    return 0


def _print_report(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    ledger = Table("accepted", "=", "final", "+", "live", title="Ledger")
    equals = "=" if report.accepted == report.final + report.live else "≠"
    ledger.add_row(str(report.accepted), equals, str(report.final), "+", str(report.live))
    states = Table("state", "messages", title="Messages")
    for state in sorted(report.states):
        states.add_row(state.name, str(report.states[state]))
    tables = Table("table", "records", title="Records")
    for name, records in report.records.items():
        tables.add_row(name, str(records))
    console = Console()
    console.print(ledger, states, tables)
    if report.set_aside:
        console.print(f"{report.set_aside} corrupt records were set aside: `smsc store corrupt`.")
    if report.unused_upstream_ids:
        console.print(f"{report.unused_upstream_ids} upstream ids belong to no message; harmless.")
    if report.damages:
        damages = Table("damage", "records", "keys", title="Damage")
        for one in report.damages:
            more = ["…"] if one.count > len(one.examples) else []
            damages.add_row(one.what, str(one.count), "\n".join([*one.examples, *more]))
        console.print(damages)
    console.print("The store is sound." if report.is_sound else "The store is DAMAGED.")
