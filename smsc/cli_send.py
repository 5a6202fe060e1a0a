"""`smsc send`: one message through a running gateway, and what becomes of it.

*In*: arguments, the configuration or an address. *Out*: a line for each step, or JSON; exit
status: 0 delivered, 1 not, 2 wrong usage. *Never*: a password on the screen.
"""

import json as json_text
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pdu.address import destination_fault, guess_destination, guess_source, source_fault
from smsc.send_way import FINAL_WELL, Step, Way, Wish

_CONFIG = Path("smsc.toml")


def send(
    *,
    to: str,
    text: str,
    from_: Annotated[str, Parameter(name="--from")] = "",
    flash: bool = False,
    account: str = "",
    password: str | None = None,
    password_env: str | None = None,
    config: Path = _CONFIG,
    http: str | None = None,
    smpp: str | None = None,
    wait_s: float = 60.0,
    json: bool = False,
) -> int:
    """Send one message through a running gateway and wait for its end, showing each step.

    Parameters
    ----------
    to
        The recipient.
    text
        What to send.
    from_
        The sender.
    flash
        Let it show at once.
    account
        Who sends it; by default the first account of the configuration.
    password
        Its password; by default that of the configuration.
    password_env
        The environment variable that holds the password.
    config
        The TOML file of the gateway; not needed with an address and an account.
    http
        Where it serves HTTP: http://host:port; by default the first of [http] listen.
    smpp
        Where it serves SMPP: host:port; used instead of HTTP.
    wait_s
        How long to wait for the end, seconds.
    json
        Print one JSON object.

    """
    wrong = _fault(to, from_, text)
    if wrong is not None:
        return _wrong(wrong)
    if password_env is not None:
        password = os.environ.get(password_env)
        if password is None:
            return _wrong(f"the environment has no variable {password_env!r}")
    if http is not None and smpp is not None:
        return _wrong("give --http or --smpp, not both")
    if not (account and password is not None and (http or smpp)):
        filled = _from_config(config, account, password, http, smpp)
        if isinstance(filled, int):
            return filled
        account, password, http, smpp = filled
    way = _way(http, smpp)
    if isinstance(way, int):
        return way
    assert password is not None
    return _run(way, Wish(to, text, from_, flash, account, password), wait_s, json=json)


def _fault(to: str, from_: str, text: str) -> str | None:
    """What no gateway could take; None if it may."""
    fault = destination_fault(*guess_destination(to))
    if fault is not None:
        return f"--to: {fault}; write a number such as +41791234567"
    fault = source_fault(*guess_source(from_))
    if fault is not None:
        return f"--from: {fault}; write a number or a name of 11 characters at most"
    return None if text else "--text: a message needs at least one character"


def _run(way: Way, wish: Wish, wait_s: float, *, json: bool) -> int:
    began_at = time.monotonic()
    steps: list[dict[str, Any]] = []

    def tell(step: Step) -> None:
        at_s = round(time.monotonic() - began_at, 3)
        steps.append({"at_s": at_s, "state": step.state, "told": step.told, **step.facts})
        if not json:
            print(f"{at_s:8.3f} s  {step.state:<14}{step.told}".rstrip(), flush=True)

    state = way(wish, wait_s, tell)
    if json:
        print(json_text.dumps({"to": wish.to, "state": state, "steps": steps}))
    return 0 if state in FINAL_WELL else 1


def _from_config(
    file: Path, account: str, password: str | None, http: str | None, smpp: str | None
) -> tuple[str, str, str | None, str | None] | int:
    """What was not given, from the configuration; an exit status after a sentence."""
    from smsc.cli import load_config

    loaded = load_config(file)
    if loaded is None:
        return 2
    account = account or next(iter(loaded.accounts), "")
    known = loaded.accounts.get(account)
    if known is None:
        names = ", ".join(loaded.accounts) or "none"
        return _wrong(f"account {account!r} is unknown; accounts here: {names}")
    if password is None:
        if known.password.is_hash:
            return _wrong(f"the password of {account!r} is kept as a hash; give --password-env")
        password = known.password.text
    if http is None and smpp is None:
        if loaded.http.listen:
            http = f"http://{loaded.http.listen[0]}"
        elif loaded.smpp.listen:
            smpp = str(loaded.smpp.listen[0])
        else:
            return _wrong("nothing listens; give smpp.listen or http.listen, or --http or --smpp")
    return account, password, http, smpp


def _way(http: str | None, smpp: str | None) -> Way | int:
    if http is not None:
        from smsc.send_http import HttpWay

        url = http if "://" in http else f"http://{http}"
        return HttpWay(url.rstrip("/"))
    from smsc.send_smpp import SmppWay

    host, _, port = (smpp or "").rpartition(":")
    if not host or not port.isdecimal():
        return _wrong(f"--smpp: expected host:port, found {smpp!r}")
    return SmppWay(host.removeprefix("[").removesuffix("]"), int(port))


def _wrong(why: str) -> int:
    print(f"smsc: {why}", file=sys.stderr)
    return 2
