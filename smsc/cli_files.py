"""`smsc contacts …`, `smsc inbox …`: phonebooks and inboxes as CSV files.

*In*: files, or none. *Out*: files, or standard output. *Never*: a row left out without a word.
"""

import json as json_text
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cyclopts

from smsc.cli_asking import Name, Where, ask_anyone, refuse
from smsc.cli_control import DEFAULT_CONFIG, AsJson, ConfigFile, DataDir
from smsc.control.verbs import Declined
from smsc.directory.csv_files import CONTACT_HEADINGS, INBOX_HEADINGS, from_csv, to_csv

contacts = cyclopts.App(name="contacts", help="The phonebooks of accounts, as CSV files.")
inbox = cyclopts.App(name="inbox", help="Received messages that are kept, as CSV files.")

_ROWS: Final = 100
"""Rows sent at a time: a line through the control door holds 256 KiB."""


@contacts.command(name="export")
def export_contacts(
    name: Name,
    file: Path | None = None,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Write the phonebook of an account as CSV: name, number, email, tags, groups.

    Parameters
    ----------
    file
        Where to; standard output unless given.

    """
    where = Where(config, data_dir, json)
    return _export(where, "contacts.export", name, "after", CONTACT_HEADINGS, file)


@contacts.command(name="import")
def import_contacts(
    name: Name,
    file: Path,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Add the contacts of a CSV file to the phonebook of an account; groups come with them.

    Parameters
    ----------
    file
        With a first line of headings: name and number, and any of email, tags, groups.

    """
    where = Where(config, data_dir, json)
    return _import(where, "contacts.import", name, CONTACT_HEADINGS, file)


@inbox.command(name="export")
def export_inbox(
    name: Name = "",
    file: Path | None = None,
    *,
    sandbox: bool = False,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Write the inbox of an account as CSV, newest first.

    Parameters
    ----------
    file
        Where to; standard output unless given.
    sandbox
        Instead of an account's: what no rule took.

    """
    if bool(name) == sandbox:
        return refuse(("name an account, or say --sandbox",), json=json)
    where = Where(config, data_dir, json)
    return _export(where, "inbox.export", name, "below", INBOX_HEADINGS, file)


@inbox.command(name="import")
def import_inbox(
    name: Name,
    file: Path,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> int:
    """Put the messages of a CSV file into the inbox of an account.

    Parameters
    ----------
    file
        With a first line of headings: text, received, and any of kind, from, to, keyword, outlet.

    """
    where = Where(config, data_dir, json)
    return _import(where, "inbox.import", name, INBOX_HEADINGS, file)


def _export(
    where: Where, verb: str, name: str, cursor: str, headings: tuple[str, ...], file: Path | None
) -> int:
    rows: list[Mapping[str, str]] = []
    at = 0
    while True:
        answer = ask_anyone(where, verb, {"account": name, cursor: at})
        if isinstance(answer, int):
            return answer
        if isinstance(answer, Declined):
            return refuse(answer.why, json=where.json)
        page: Any = answer.value
        rows += page["rows"]
        at = page[cursor]
        if not at:
            break
    told = json_text.dumps(rows) + "\n" if where.json else to_csv(headings, rows)
    if file is None:
        print(told, end="")
        return 0
    try:
        file.write_text(told, "utf-8")
    except OSError as error:
        return refuse((f"{file} cannot be written: {error.strerror}",), json=where.json)
    return 0


def _import(where: Where, verb: str, name: str, headings: tuple[str, ...], file: Path) -> int:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return refuse((f"{file} cannot be read: {why}",), json=where.json)
    rows = from_csv(headings, text)
    if isinstance(rows, str):
        return refuse((f"{file}: {rows}",), json=where.json)
    added = 0
    faults: list[str] = []
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        answer = ask_anyone(where, verb, {"account": name, "rows": [row for _, row in some]})
        if isinstance(answer, int):
            return answer
        if isinstance(answer, Declined):
            return refuse((*faults, *answer.why), json=where.json)
        told: Any = answer.value
        added += told["added"]
        faults += [f"{file}, line {some[place][0]}: {why}" for place, why in told["faults"]]
    if faults:
        refuse(tuple(faults), json=where.json)
    if where.json:
        print(json_text.dumps({"added": added, "faults": faults}))
    else:
        print(f"{added} added" + (f", {len(faults)} left out" if faults else ""))
    return 1 if faults else 0
