"""Verbs of the control door about accounts, credit, contacts and inboxes.

*In*: the rooms of the directory. *Out*: verbs. *Never*: what they do; a password in an answer.

`smsc account`, `smsc credit`, `smsc contacts` and `smsc inbox` ask them of the gateway that runs,
or of the store itself when none does.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs

from smsc.control.verbs import Answer, Declined, Told, Verbs
from smsc.directory.csv_files import contact_of, contact_row, inbox_row, kind_of, received_at
from smsc.directory.rooms import DirectoryRooms
from smsc.message import AccountId, MessageId
from smsc.ports import (
    AccountStatus,
    ContactGroup,
    InboxKind,
    InboxQuery,
    NewProfile,
    Profile,
    Refused,
)

PAGE: Final = 500
"""Rows of one answer."""
_NO_ROWS: Final = Declined(("rows: expected objects whose values are texts",))


def add_directory_verbs(verbs: Verbs, rooms: DirectoryRooms) -> None:
    """All of them."""
    _add_account_verbs(verbs, rooms)
    _add_credit_verbs(verbs, rooms)
    _add_contact_verbs(verbs, rooms)
    _add_inbox_verbs(verbs, rooms)


def _add_account_verbs(verbs: Verbs, rooms: DirectoryRooms) -> None:
    directory = rooms.directory

    async def list_accounts(account: str = "") -> Answer:
        profiles = directory.profiles()
        if account:
            profile = directory.find(account)
            if profile is None:
                return _unknown(account)
            profiles = [profile]
        return Told([_account_row(rooms, one) for one in profiles])

    async def add(
        account: str,
        password: str,
        by: str,
        profile: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Answer:
        fields = _fields(profile or {})
        if isinstance(fields, Declined):
            return fields
        new = NewProfile(
            account=AccountId(account),
            password=password,
            status=fields.pop("status", AccountStatus.USER),
            parent=fields.pop("parent", None),
            profile=fields,
            settings=settings or {},
        )
        added = await directory.add(new, AccountId(by))
        if isinstance(added, Refused):
            return Declined((added.why,))
        return Told(_account_row(rooms, added))

    async def change(
        account: str,
        by: str,
        profile: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        password: str = "",
    ) -> Answer:
        fields = _fields(profile or {})
        if isinstance(fields, Declined):
            return fields
        if settings:
            fields["settings"] = settings
        if password:
            fields["password"] = password
        changed = await directory.change(AccountId(account), fields, AccountId(by))
        if isinstance(changed, Refused):
            return Declined((changed.why,))
        return Told(_account_row(rooms, changed))

    async def remove(account: str, by: str) -> Answer:
        return _told(await directory.remove(AccountId(account), AccountId(by))) or Told()

    async def ban(account: str, by: str, banned: bool) -> Answer:
        refused = await directory.ban(AccountId(account), AccountId(by), banned=banned)
        return _told(refused) or Told()

    async def token(account: str, by: str) -> Answer:
        made = await directory.new_token(AccountId(account), AccountId(by))
        return _told(made) or Told({"token": made})

    async def login_key(account: str, by: str) -> Answer:
        made = await directory.new_login_key(AccountId(account), AccountId(by))
        return _told(made) or Told({"login_key": made})

    who = {"account": str, "by": str}
    more: dict[str, type[Any]] = {"profile": dict, "settings": dict}
    verbs.add("accounts.list", list_accounts, optional={"account": str})
    verbs.add("accounts.add", add, required={**who, "password": str}, optional=more)
    verbs.add("accounts.set", change, required=who, optional={**more, "password": str})
    verbs.add("accounts.remove", remove, required=who)
    verbs.add("accounts.ban", ban, required={**who, "banned": bool})
    verbs.add("accounts.token", token, required=who)
    verbs.add("accounts.login_key", login_key, required=who)


def _add_credit_verbs(verbs: Verbs, rooms: DirectoryRooms) -> None:
    book = rooms.credits

    async def show(account: str = "") -> Answer:
        if account and rooms.directory.profile(AccountId(account)) is None:
            return _unknown(account)
        names = [account] if account else [one.account for one in rooms.directory.profiles()]
        return Told([{"account": one, "credit": _balances(rooms, AccountId(one))} for one in names])

    async def move(account: str, amount: str, by: str, why: str, credit_class: str = "") -> Answer:
        if rooms.directory.profile(AccountId(account)) is None:
            return _unknown(account)
        try:
            exact = Decimal(amount)
        except InvalidOperation:
            return Declined((f"expected an amount like 12.50, found {amount[:40]!r}",))
        left = await book.move(AccountId(account), credit_class, exact, by, why)
        return _told(left) or Told({"account": account, "balance": str(left)})

    async def ledger(account: str, below: int = 0, limit: int = 100) -> Answer:
        lines = await book.movements(AccountId(account), below or None, min(limit, PAGE))
        return Told(
            [
                {
                    **attrs.asdict(one),
                    "amount": f"{one.amount:f}",
                    "balance": f"{one.balance:f}",
                    "first": one.first and str(one.first),
                    "last": one.last and str(one.last),
                }
                for one in lines
            ]
        )

    verbs.add("credit.show", show, optional={"account": str})
    verbs.add(
        "credit.move",
        move,
        required={"account": str, "amount": str, "by": str, "why": str},
        optional={"credit_class": str},
    )
    verbs.add(
        "credit.ledger", ledger, required={"account": str}, optional={"below": int, "limit": int}
    )


def _add_contact_verbs(verbs: Verbs, rooms: DirectoryRooms) -> None:
    book = rooms.contacts

    async def export(account: str, after: int = 0) -> Answer:
        if rooms.directory.profile(AccountId(account)) is None:
            return _unknown(account)
        page = book.page(AccountId(account), after, PAGE)
        rows = [contact_row(one) for one in page]
        return Told({"rows": rows, "after": page[-1].id if len(page) == PAGE else 0})

    async def import_(account: str, rows: list[Any]) -> Answer:
        """Enter what fits in one commit, groups that are new with it; a fault for each other row."""
        name = AccountId(account)
        if rooms.directory.profile(name) is None:
            return _unknown(account)
        if not _are_rows(rows):
            return _NO_ROWS
        batch = book.batch()
        faults: list[object] = []
        for place, row in enumerate(rows):
            contact = contact_of(row)
            put: object = None
            for code in contact.groups:
                if book.members(name, code) is None and not isinstance(put, Refused):
                    put = book.enter_group(batch, name, ContactGroup(name=code, code=code))
            if not isinstance(put, Refused):
                put = book.enter_contact(batch, name, contact)
            if isinstance(put, Refused):
                faults.append([place, put.why])
        await book.written(batch)
        return Told({"added": len(rows) - len(faults), "faults": faults})

    verbs.add("contacts.export", export, required={"account": str}, optional={"after": int})
    verbs.add("contacts.import", import_, required={"account": str, "rows": list})


def _add_inbox_verbs(verbs: Verbs, rooms: DirectoryRooms) -> None:
    shelf = rooms.inbox

    async def export(account: str = "", below: int = 0) -> Answer:
        """The sandbox, without an account."""
        if account and rooms.directory.profile(AccountId(account)) is None:
            return _unknown(account)
        query = InboxQuery(below=MessageId(below) if below else None, limit=PAGE)
        found = shelf.received(AccountId(account), query) if account else shelf.sandbox(query)
        below = found[-1].id if len(found) == PAGE else 0
        return Told({"rows": [inbox_row(one) for one in found], "below": below})

    async def import_(rows: list[Any], account: str = "") -> Answer:
        """Enter what fits in one commit; a fault for each other row."""
        if account and rooms.directory.profile(AccountId(account)) is None:
            return _unknown(account)
        if not _are_rows(rows):
            return _NO_ROWS
        batch = shelf.batch()
        faults: list[object] = []
        for place, row in enumerate(rows):
            kind, at_ms = kind_of(row), received_at(row)
            if not isinstance(kind, InboxKind) or isinstance(at_ms, str):
                faults.append([place, kind if not isinstance(kind, InboxKind) else at_ms])
                continue
            received = shelf.make(
                AccountId(account),
                kind if account else InboxKind.SANDBOX,
                row.get("from", ""),
                row.get("to", ""),
                row.get("text", ""),
                keyword=row.get("keyword", ""),
                outlet=row.get("outlet", ""),
            )
            shelf.keep(batch, attrs.evolve(received, received_ms=at_ms))
        await shelf.written(batch)
        return Told({"added": len(rows) - len(faults), "faults": faults})

    verbs.add("inbox.export", export, optional={"account": str, "below": int})
    verbs.add("inbox.import", import_, required={"rows": list}, optional={"account": str})


def _account_row(rooms: DirectoryRooms, profile: Profile) -> Mapping[str, object]:
    """An account as people see it."""
    directory = rooms.directory
    config = directory.accounts[profile.account].config
    row = attrs.asdict(profile)
    row["status"] = profile.status.name.lower()
    row["settings"] = dict(directory.settings(profile.account))
    row["rate"] = config.rate
    row["senders"] = list(config.senders)
    row["networks"] = [str(one) for one in config.networks]
    row["has_token"] = directory.token(profile.account) is not None
    row["credit"] = _balances(rooms, profile.account)
    return row


def _balances(rooms: DirectoryRooms, account: AccountId) -> dict[str, str] | None:
    balances = rooms.credits.balances(account)
    return None if balances is None else {name: f"{one:f}" for name, one in balances.items()}


def _fields(profile: Mapping[str, Any]) -> dict[str, Any] | Declined:
    """Fields of a profile as JSON brings them."""
    fields = dict(profile)
    if "status" in fields:
        names = {one.name.lower(): one for one in AccountStatus}
        status = names.get(str(fields["status"]).lower())
        if status is None:
            return Declined((f"status: expected one of {', '.join(names)}",))
        fields["status"] = status
    return fields


def _are_rows(rows: list[Any]) -> bool:
    return all(
        isinstance(row, dict) and all(isinstance(value, str) for value in row.values())
        for row in rows
    )


def _told(answer: object) -> Declined | None:
    return Declined((answer.why,)) if isinstance(answer, Refused) else None


def _unknown(account: str) -> Declined:
    return Declined((f"there is no account {account[:40]!r}",))
