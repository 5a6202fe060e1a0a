"""`smsc credit …`: what accounts may spend, and why it is so much.

*In*: arguments. *Out*: tables or JSON. *Never*: an amount that is not exactly as it was written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from smsc.cli_asking import Name, Where, credit_text, run
from smsc.cli_control import DEFAULT_CONFIG, AsJson, ConfigFile, DataDir

credit = cyclopts.App(name="credit", help="What accounts may spend, and why it is so much.")


@credit.command
def show(
    name: str = "",
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Tell what every account, or one, may spend."""
    return run(Where(config, data_dir, json), "credit.show", {"account": name}, _print_credit)


@credit.command(name="add")
def add_credit(
    name: Name,
    amount: str,
    *,
    credit_class: Annotated[str, Parameter(name="--class")] = "",
    why: str = "added",
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Add to what an account may spend; print the new balance.

    Parameters
    ----------
    amount
        As 12.50.
    credit_class
        The class of credit, where there are several.
    why
        Stands in the ledger.

    """
    return _move(Where(config, data_dir, json), name, amount, credit_class, why)


@credit.command
def deduct(
    name: Name,
    amount: str,
    *,
    credit_class: Annotated[str, Parameter(name="--class")] = "",
    why: str = "deducted",
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Take from what an account may spend; print the new balance. It never goes below 0.

    Parameters
    ----------
    amount
        As 12.50.
    credit_class
        The class of credit, where there are several.
    why
        Stands in the ledger.

    """
    return _move(Where(config, data_dir, json), name, f"-{amount}", credit_class, why)


@credit.command
def ledger(
    name: Name,
    *,
    below: int = 0,
    limit: int = 50,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """List what moved the credit of an account, newest first.

    Parameters
    ----------
    below
        Only lines with a smaller number: to go on behind the last one shown.
    limit
        How many lines.

    """
    arguments = {"account": name, "below": below, "limit": limit}
    return run(Where(config, data_dir, json), "credit.ledger", arguments, _print_ledger)


def _move(where: Where, name: str, amount: str, credit_class: str, why: str) -> int:
    wish = {"account": name, "amount": amount, "credit_class": credit_class, "why": why}
    return run(where, "credit.move", wish, lambda value: print(value["balance"]), is_by=True)


def _print_credit(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("account", "credit")
    for row in rows:
        table.add_row(row["account"], credit_text(row["credit"]))
    Console().print(table)


def _print_ledger(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("number", "when (UTC)", "class", "amount", "balance", "by", "why", "messages")
    for row in rows:
        when = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        ids = [one for one in (row["first"], row["last"]) if one]
        table.add_row(
            str(row["number"]),
            when,
            row["credit_class"],
            row["amount"],
            row["balance"],
            row["by"],
            row["why"],
            " … ".join(dict.fromkeys(ids)),
        )
    Console().print(table)
