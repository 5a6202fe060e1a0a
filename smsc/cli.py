"""The command line: the roof, which alone knows every room.

*In*: arguments. *Out*: exit status: 0 done, 1 failed, 2 wrong usage or a bad configuration.
*Never*: imported by anything.
"""

import os
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import trio
from cyclopts import Parameter

from smsc import (
    cli_account,
    cli_callbacks,
    cli_connectors,
    cli_control,
    cli_credit,
    cli_files,
    cli_send,
    cli_store,
)
from smsc.config import Config, OutletConfig, load, render_errors
from smsc.config_errors import ConfigError
from smsc.message import OutletName
from smsc.ports import CallbackTerms

app = cyclopts.App(
    name="smsc",
    help="An SMPP-native SMSC gateway: accepted means on disk.",
    version_flags=["--version"],
    result_action="return_value",
)

app.command(cli_store.app)
app.command(cli_control.outlets)
for _command in (
    cli_account.account,
    cli_credit.credit,
    cli_files.contacts,
    cli_files.inbox,
    cli_callbacks.app,
    cli_connectors.app,
    cli_control.reload,
    cli_send.send,
):
    app.command(_command)

_DEFAULT_CONFIG = Path("smsc.toml")
_EXAMPLE = '{"from": "Shop", "to": "41791234567", "text": "Hello", "receipt": true}'
_LOAD = (
    "smsc load --host {host} --port {port} --system-id {name} --password demo "
    "--seconds 5 --receipts"
)


def main() -> None:
    """Entry point of the `smsc` command."""
    sys.exit(app() or 0)


@app.command
def run(*, config: Path = _DEFAULT_CONFIG) -> int:
    """Start the gateway; SIGTERM or Ctrl-C stops it, a second one at once.

    Parameters
    ----------
    config
        The TOML file to run with; `smsc check FILE` says what it means.

    """
    from smsc import app as gateway
    from smsc import collector, logs
    from smsc.store.opening import StoreOpenError

    loaded = load_config(config)
    if loaded is None:
        return 2
    log = logs.set_up(loaded.log.level, loaded.log.format)

    is_up = False

    async def until_stopped() -> int:
        nonlocal is_up
        async with trio.open_nursery() as nursery:
            status: list[int] = []

            async def live(task_status: trio.TaskStatus[Any]) -> None:
                file = gateway.ConfigFile(config, lambda: _read(config))
                status.append(
                    await gateway.run(loaded, _bridges(), log, file=file, task_status=task_status)
                )

            _, addresses = await nursery.start(live)
            is_up = True
            collector.settle()
            print(greeting(loaded, addresses), flush=True)
        return status[0]

    collector.calm()
    try:
        return trio.run(until_stopped)
    except BaseExceptionGroup as group:
        known, other = group.split((StoreOpenError, OSError))
        if other is not None or is_up:
            raise  # a bug: its traceback is wanted
        for error in _leaves(known):
            print(f"smsc: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1


@app.command
def check(file: Annotated[Path, Parameter(help="The TOML file to check.")]) -> int:
    """Check a configuration file: all mistakes at once, or what it would start."""
    from smsc.config_report import describe

    loaded = load_config(file)
    if loaded is None:
        return 2
    print(describe(loaded))
    return 0


@app.command(name="load")
def put_load(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    system_id: str = "demo",
    password: str | None = None,
    password_env: str | None = None,
    sessions: int = 10,
    window: int = 100,
    count: int | None = None,
    seconds: float | None = None,
    receipts: bool = False,
    from_: Annotated[str, Parameter(name="--from")] = "Load",
    to_prefix: str = "4179",
    text: str | None = None,
    json: bool = False,
) -> int:
    """Put load on a message centre: bind, submit, take receipts, tell how long it took.

    Parameters
    ----------
    host
        Where the message centre listens.
    port
        Its TCP port.
    system_id
        Who to bind as.
    password
        The password of the bind.
    password_env
        The environment variable that holds the password.
    sessions
        Connections, each bound as a transceiver with --receipts, else as a transmitter.
    window
        submit_sm without an answer, for each session.
    count
        How many messages to send.
    seconds
        How long to send, if --count does not say how many; 10 by default.
    receipts
        Ask for receipts and wait for them.
    from_
        Sender.
    to_prefix
        Beginning of the destinations; seven digits follow.
    text
        Text of every message, at most one submit_sm long.
    json
        Print the result as one JSON object.

    """
    from bench.load_command import load_command

    return load_command(
        host=host,
        port=port,
        system_id=system_id,
        password=password,
        password_env=password_env,
        sessions=sessions,
        window=window,
        count=count,
        seconds=seconds,
        receipts=receipts,
        from_=from_,
        to_prefix=to_prefix,
        text=text,
        json=json,
    )


@app.command(name="explain")
def explain_route(
    *,
    from_: Annotated[str, Parameter(name="--from")] = "",
    to: str = "",
    account: str = "",
    text: str = "",
    source: str = "smpp",
    tag: tuple[str, ...] = (),
    service_type: str = "",
    at: datetime | None = None,
    config: Path = _DEFAULT_CONFIG,
    replay: Path | None = None,
    candidate: Path | None = None,
    json: bool = False,
) -> int:
    """Tell where a message would go and why; or what another configuration would change.

    Parameters
    ----------
    from_
        Sender.
    to
        Recipient.
    account
        The system_id that sends it.
    text
        What it says.
    source
        The door it comes in by: smpp, rest or a dialect.
    tag
        A label that the client puts on it; may be given several times.
    service_type
        Its service_type, for accounts that may use some only.
    at
        When it comes in, ISO 8601, UTC; now unless given.
    config
        The TOML file of today.
    replay
        A CSV file of past traffic: account, from, to and, where known, text, source, tags,
        service_type, at.
    candidate
        The TOML file to compare with, for --replay.
    json
        Print one JSON object.

    """
    from smsc.explain_command import explain_command

    loaded = load_config(config)
    other = load_config(candidate) if candidate is not None else None
    if loaded is None or (candidate is not None and other is None):
        return 2
    asked = {
        "account": account,
        "sender": from_,
        "to": to,
        "text": text,
        "source": source,
        "tags": tag,
        "service_type": service_type,
    }
    return explain_command(loaded, asked, at=at, replay_file=replay, candidate=other, json=json)


def greeting(config: Config, addresses: Any) -> str:
    """The first lines of a running gateway: how to send a message and see what became of it."""
    lines = ["smsc is up."]
    if addresses.smpp:
        lines.append("  SMPP   " + ", ".join(f"{host}:{port}" for host, port in addresses.smpp))
    if addresses.smpp_tls:
        listed = ", ".join(f"{host}:{port}" for host, port in addresses.smpp_tls)
        lines.append(f"  SMPP over TLS   {listed}")
    if addresses.http and config.accounts:
        host, port = addresses.http[0]
        url = f"http://{host}:{port}/v1/messages"
        name, account = next(iter(config.accounts.items()))
        # The demo's password is in the file that everybody has; others are asked for by curl.
        user = f"{name}:demo" if name == account.password.text == "demo" else name
        lines += [
            f"  HTTP   http://{host}:{port}",
            "Send a message:",
            f"  curl -u {user} {url} -d '{_EXAMPLE}'",
            "See what became of it (put the id of the answer for ID):",
            f"  curl -u {user} {url}/ID",
        ]
    if addresses.smpp:
        host, port = addresses.smpp[0]
        name = next(iter(config.accounts), "demo")
        lines += [
            "Put load on it over SMPP, receipts included:",
            f"  {_LOAD.format(host=host, port=port, name=name)}",
        ]
    return "\n".join(lines)


def load_config(path: Path) -> Config | None:
    """The configuration, or None after its errors were printed."""
    loaded = _read(path)
    if isinstance(loaded, list):
        print(f"smsc: {path} has {len(loaded)} mistake(s):", file=sys.stderr)
        print(render_errors(loaded), file=sys.stderr)
        return None
    return loaded


def _read(path: Path) -> Config | list[ConfigError]:
    """The configuration, or all that is wrong with it."""
    from bridges import REGISTRY
    from bridges.callbacks.registry import STYLES
    from bridges.http.registry import DIALECTS

    kinds = {name: kind.config for name, kind in REGISTRY.items()}
    dialects = {name: kind.config for name, kind in DIALECTS.items()}
    return load(path, kinds, os.environ, dialects, STYLES)


def _bridges() -> Any:
    """Every bridge of this build."""
    from bridges import REGISTRY
    from bridges.callback_client import make_client
    from bridges.callbacks.registry import events_of
    from bridges.http.server import serve
    from bridges.jms import queue_bridges
    from bridges.mail import Mail
    from bridges.webhook import Webhook
    from smsc.app import Bridges

    def outlet(name: OutletName, config: OutletConfig, log: Any) -> Any:
        return REGISTRY[config.kind].build(name, config.settings, log)

    def callbacks(mailboxes: Any, now_ms: Any, log: Any, terms: CallbackTerms) -> Any:
        client = partial(make_client, terms.networks)
        webhook = Webhook(
            mailboxes,
            client,
            now_ms,
            log,
            keys_of=terms.keys_of,
            look_again=terms.look_again,
        )
        mail = Mail(mailboxes, terms.mail, log)
        queues = queue_bridges(mailboxes, log, terms.dialects)
        return {webhook.prefix: webhook, mail.prefix: mail, **queues}

    return Bridges(
        outlet=outlet,
        callbacks=callbacks,
        serve_http=serve,
        callback_events=events_of,
    )


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error] if error is not None else []
