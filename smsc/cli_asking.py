"""What every command shares that acts on the directory: it asks the gateway, or its store.

*In*: a verb, arguments. *Out*: the answer, printed; the exit status: 0 done, 1 refused or
impossible, 2 a configuration that cannot be used.
*Never*: a store that a gateway has open: then the gateway is asked, through its control door.
"""

import getpass
import json as json_text
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from smsc.cli_control import data_dir_of
from smsc.control.client import NoGateway, ask
from smsc.control.verbs import Answer, Declined, Told

Name = Annotated[str, Parameter(help="The account: its system_id.")]


@attrs.frozen
class Where:
    """The gateway, or the store that it would have."""

    config: Path
    data_dir: Path | None
    json: bool = False


def run(
    where: Where,
    verb: str,
    arguments: Mapping[str, Any],
    show: Callable[[Any], None] = lambda _value: None,
    *,
    is_by: bool = False,
) -> int:
    """Ask one thing and print the answer; the exit status.

    :param is_by: the verb wants to know who asks.
    """
    answer = ask_anyone(where, verb, {**arguments, "by": user()} if is_by else arguments)
    match answer:
        case int():
            return answer
        case Declined(why):
            return refuse(why, json=where.json)
        case Told(value):
            if where.json:
                print(json_text.dumps(value, default=str))
            else:
                show(value)
            return 0


def ask_anyone(where: Where, verb: str, arguments: Mapping[str, Any]) -> Answer | int:
    """The answer of the gateway, or of its store; an exit status when there is neither."""
    from smsc.cli import load_config
    from smsc.control.offline import ask_store
    from smsc.store.opening import StoreOpenError

    data_dir = where.data_dir or data_dir_of(where.config)
    if isinstance(data_dir, str):
        return Declined((data_dir,))
    answer = ask(data_dir, verb, arguments)
    if not isinstance(answer, NoGateway):
        return answer
    if where.data_dir is not None or not answer.is_nobody_there:
        return Declined((answer.why,))
    config = load_config(where.config)
    if config is None:
        return 2
    try:
        return ask_store(config, verb, arguments)
    except StoreOpenError as error:
        return Declined((str(error),))


def user() -> str:
    """Who asks, for the log and the ledger."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name
        return f"uid {os.getuid()}"


def refuse(why: tuple[str, ...], *, json: bool = False) -> int:
    """Say why not, for people and for machines; the exit status."""
    if json:
        print(json_text.dumps({"why": list(why)}))
    for sentence in why:
        print(f"smsc: {sentence}", file=sys.stderr)
    return 1


def credit_text(credit: Mapping[str, str] | None) -> str:
    """Balances in one cell."""
    if credit is None:
        return "unlimited"
    return ", ".join(f"{name} {amount}".strip() for name, amount in credit.items())
