"""`smsc account …`: accounts of the file and those made at run time.

*In*: arguments. *Out*: tables or JSON. *Never*: a password shown that was not just made here.
"""

import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import cyclopts

from smsc.cli_asking import Name, Where, credit_text, refuse, run
from smsc.cli_control import DEFAULT_CONFIG, AsJson, ConfigFile, DataDir
from smsc.ports import Profile

account = cyclopts.App(name="account", help="Accounts: those of the file and those made here.")

_PROFILE: Final = {field.name: field for field in attrs.fields(Profile)}


@account.command(name="list")
def list_accounts(
    name: str = "",
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """List every account, or one with all that is known of it.

    Parameters
    ----------
    name
        The account, or its e-mail address.

    """
    where = Where(config, data_dir, json)
    show = _print_account if name else _print_accounts
    return run(where, "accounts.list", {"account": name}, show)


@account.command
def add(
    name: Name,
    *pairs: str,
    password: str | None = None,
    password_env: str | None = None,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Make an account. Without a password it gets one, which is printed once.

    Parameters
    ----------
    pairs
        KEY=VALUE, as for `smsc account set`.
    password
        The password; it stands in the list of processes for a moment.
    password_env
        The environment variable that holds the password.

    """
    wishes = _wishes(pairs)
    given = _password(password, password_env)
    if wishes is None or given is None:
        return 1
    made = given or secrets.token_urlsafe(9)

    def show(row: Mapping[str, Any]) -> None:
        _print_account([row])
        if not given:
            print(f"password  {made}")

    arguments = {"account": name, "password": made, **wishes}
    return run(Where(config, data_dir, json), "accounts.add", arguments, show, is_by=True)


@account.command(name="set")
def change(
    name: Name,
    *pairs: str,
    password: str | None = None,
    password_env: str | None = None,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Change an account: `smsc account set NAME email=a@example.org rate=50`.

    Parameters
    ----------
    pairs
        KEY=VALUE: fields of the profile, such as name, email, status, parent or time_zone, and
        keys of [accounts.NAME], such as rate, senders or networks, as TOML writes them; KEY=
        takes one back. What stands in the configuration file is changed there.
    password
        The new password; it stands in the list of processes for a moment.
    password_env
        The environment variable that holds the new password.

    """
    wishes = _wishes(pairs)
    given = _password(password, password_env)
    if wishes is None or given is None:
        return 1
    arguments = {"account": name, "password": given, **wishes}
    where = Where(config, data_dir, json)
    return run(where, "accounts.set", arguments, lambda row: _print_account([row]), is_by=True)


@account.command
def remove(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Delete an account with its contacts and inbox; its messages and its ledger stay."""
    where = Where(config, data_dir, json)
    return run(where, "accounts.remove", {"account": name}, is_by=True)


@account.command
def ban(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Close an account: it is refused everywhere, and its sessions are unbound."""
    where = Where(config, data_dir, json)
    return run(where, "accounts.ban", {"account": name, "banned": True}, is_by=True)


@account.command
def unban(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Open a closed account again."""
    where = Where(config, data_dir, json)
    return run(where, "accounts.ban", {"account": name, "banned": False}, is_by=True)


@account.command
def token(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Make a new API token for an account and print it; the old one ends."""
    where = Where(config, data_dir, json)
    show: Callable[[Any], None] = lambda value: print(value["token"])  # noqa: E731
    return run(where, "accounts.token", {"account": name}, show, is_by=True)


@account.command(name="login-key")
def login_key(
    name: Name,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Make a key that opens one login, and print it."""
    where = Where(config, data_dir, json)
    show: Callable[[Any], None] = lambda value: print(value["login_key"])  # noqa: E731
    return run(where, "accounts.login_key", {"account": name}, show, is_by=True)


def _password(password: str | None, password_env: str | None) -> str | None:
    """What was given, "" if nothing was; None after a sentence."""
    if password_env is None:
        return password or ""
    if password is not None or password_env not in os.environ:
        why = (
            "give --password or --password-env, not both"
            if password is not None
            else f"the environment has no variable {password_env!r}"
        )
        refuse((why,))
        return None
    return os.environ[password_env]


def _wishes(pairs: tuple[str, ...]) -> dict[str, dict[str, Any]] | None:
    """Profile fields and settings of KEY=VALUE; None after a sentence."""
    profile: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            refuse((f"expected KEY=VALUE, found {pair!r}",))
            return None
        if key in _PROFILE:
            profile[key] = _profile_value(key, text)
        else:
            settings[key] = _toml_value(text) if text else None
    return {"profile": profile, "settings": settings}


def _profile_value(key: str, text: str) -> object:
    if key in {"status", "parent"}:
        return text or None
    return text if isinstance(_PROFILE[key].default, str) else _toml_value(text)


def _toml_value(text: str) -> object:
    """As TOML writes it; what is no TOML is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _print_accounts(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("account", "status", "from", "name", "e-mail", "rate/s", "credit", "open")
    for row in rows:
        table.add_row(
            row["account"],
            row["status"] + (f" of {row['parent']}" if row["parent"] else ""),
            "file" if row["is_static"] else "run time",
            row["name"],
            row["email"],
            f"{row['rate']:g}" if row["rate"] else "",
            credit_text(row["credit"]),
            "no" if row["is_banned"] else "yes",
        )
    Console().print(table)


def _print_account(rows: list[Mapping[str, Any]]) -> None:
    for row in rows:
        for key, value in row.items():
            if value not in ("", None, [], {}):
                shown = credit_text(value) if key == "credit" else value
                print(f"{key:18}{shown}")
