"""`smsc connectors …`: what an operator does with a connector before trusting it with traffic.

*In*: arguments, the configuration. *Out*: each step, secrets hidden; exit status: 0 the service
took the message, 1 it did not, 2 wrong usage. *Never*: the gateway's store, routes or accounts.
"""

import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="connectors", help="Try connectors to online SMS services.")

_CONFIG = Path("smsc.toml")
_TEXT = "Test from the SMSC gateway"


@app.command(name="test")
def try_one(
    name: str,
    *,
    to: str,
    text: str = _TEXT,
    from_: Annotated[str, Parameter(name="--from")] = "",
    flash: bool = False,
    config: Path = _CONFIG,
    json: bool = False,
) -> int:
    """Send one message by one connector's settings alone, and show each step.

    Parameters
    ----------
    name
        The outlet, as [outlets.NAME] calls it.
    to
        The recipient.
    text
        What to send.
    from_
        Sender, if the connector sets none.
    flash
        Let it show at once.
    config
        The TOML file.
    json
        Print one JSON object.

    """
    from bridges.connectors.trial import Asked, run_trial

    outlet = _outlet(name, config)
    if outlet is None:
        return 2
    steps: list[dict[str, Any]] = []

    def show(step: str, lines: list[str]) -> None:
        if json:
            steps.append({"step": step, "lines": lines})
        else:
            print(f"{step}:", *lines, sep="\n  ")

    asked = Asked(to, text, from_, flash)
    is_taken = run_trial(name, outlet.kind, outlet.settings, asked, show)
    if json:
        print(json_text.dumps({"outlet": name, "taken": is_taken, "steps": steps}))
    return 0 if is_taken else 1


@app.command
def balance(name: str, *, config: Path = _CONFIG, json: bool = False) -> int:
    """Ask a service for the balance.

    Parameters
    ----------
    name
        The outlet, as [outlets.NAME] calls it.
    config
        The TOML file.
    json
        Print one JSON object.

    """
    from bridges.connectors.trial import ask_balance

    outlet = _outlet(name, config)
    if outlet is None:
        return 2
    left = ask_balance(name, outlet.kind, outlet.settings, lambda _step, _lines: None)
    if json:
        print(json_text.dumps({"outlet": name, "balance": left}))
    elif left is None:
        print(f"smsc: outlet {name!r} tells no balance", file=sys.stderr)
    else:
        print(f"{left:g}")
    return 0 if left is not None else 1


def _outlet(name: str, file: Path) -> Any:
    """The settings of a connector; None after a sentence says what is wrong."""
    from bridges.connectors.kinds import CONFIGS
    from smsc.cli import load_config

    loaded = load_config(file)
    if loaded is None:
        return None
    outlet = loaded.outlets.get(name)
    connectors = [one for one, two in loaded.outlets.items() if two.kind in CONFIGS]
    if outlet is None or outlet.kind not in CONFIGS:
        what = "unknown" if outlet is None else f"of kind {outlet.kind!r}, no connector"
        known = ", ".join(connectors) or "none"
        print(f"smsc: outlet {name!r} is {what}; connectors here: {known}", file=sys.stderr)
        return None
    return outlet
