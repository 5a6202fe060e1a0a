"""The accounts that may speak, as the file and the store say: read at start, followed in reloads.

*In*: the accounts of the file, records of the store. *Out*: accounts, profiles.
*Never*: an account of the file changed by what the store says of it, but for its profile and ban.

All records are in memory. An account made at run time is built by the reader of the configuration,
so the same checks apply. `profiles` holds what people change.
"""

import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs

from smsc.config_accounts import AccountConfig, read_account
from smsc.directory.accounts import Account, Directory
from smsc.directory.profile_checks import invalid
from smsc.directory.records import Entry, entry_of, fields_of
from smsc.message import AccountId
from smsc.ports import AccountStatus, Batch, Control, Profile, Refused, Store
from smsc.store import keys

LAST_UID: Final = "last_uid"
_CHUNK: Final = 1000
_SECRETS: Final = re.compile(r"password.*|outbind|.*_(?:file|env)")
"""Settings that stand in the configuration file only."""


class StoredDirectory(Directory):
    """The accounts that may speak, and their profiles.

    :param inherited: what accounts take from `[smpp]` when they do not say otherwise.
    :param template: settings of accounts whose password a directory server knows.
    """

    def __init__(
        self,
        accounts: Mapping[str, AccountConfig],
        store: Store,
        now_ms: Callable[[], int],
        inherited: Mapping[str, Any],
        log: Any,
        template: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(accounts)
        self._store = store
        self._now_ms = now_ms
        self._inherited = inherited
        self._log = log
        self._template = template
        self._entries: dict[AccountId, Entry] = {}
        self._last_uid = int(store.meta(LAST_UID) or b"0")
        self._restore()

    # --- questions -----------------------------------------------------------------------------

    def profile(self, account: AccountId) -> Profile | None:
        """One account by its name."""
        entry = self._entries.get(account)
        return None if entry is None else entry.profile

    def find(self, login: str) -> Profile | None:
        """One account by its name or, if no account is called so, by its e-mail address."""
        found = self.profile(AccountId(login))
        if found is not None or "@" not in login:
            return found
        wanted = login.casefold()
        profiles = (entry.profile for entry in self._entries.values())
        return next((one for one in profiles if one.email.casefold() == wanted), None)

    def profiles(self) -> Sequence[Profile]:
        """Every account, by name."""
        return [self._entries[name].profile for name in sorted(self._entries)]

    def settings(self, account: AccountId) -> Mapping[str, object]:
        """What an account made at run time was given of the keys of `[accounts.NAME]`."""
        entry = self._entries.get(account)
        return {} if entry is None else entry.settings

    def token(self, account: AccountId) -> str | None:
        """The token by which the account may speak instead of its password; None if it has none."""
        entry = self._entries.get(account)
        return (entry.token or None) if entry is not None else None

    # --- for those who change accounts ---------------------------------------------------------

    def _blank(self, account: AccountId, *, is_remote: bool = False) -> Profile:
        """A profile with a number of its own."""
        self._last_uid += 1
        return Profile(
            account=account,
            uid=self._last_uid,
            is_remote=is_remote,
            group_id=str(uuid.uuid4()),
            created_ms=self._now_ms(),
        )

    def _enter(self, batch: Batch, entry: Entry) -> None:
        account = entry.profile.account
        self._entries[account] = entry
        batch.control(Control.ACCOUNT, keys.name_key(account), fields_of(entry))

    def _open(self, account: Account) -> None:
        self.accounts[account.name] = account
        entry = self._entries.get(account.name)
        if entry is None or not entry.profile.is_banned:
            self.closed.pop(account.name, None)
        self.account_opened(account)

    def _close(self, account: AccountId, why: str) -> None:
        self.closed[account] = why
        self.account_closed(account, why)

    def _config_of(self, entry: Entry) -> AccountConfig | Refused:
        """The account as the configuration file would have made it."""
        for key in entry.settings:
            if _SECRETS.fullmatch(key):
                return invalid(f"{key} cannot be set at run time; only the configuration file may")
        profile = entry.profile
        table = {
            **(self._template if profile.is_remote else {}),
            **entry.settings,
            "admin": profile.status == AccountStatus.ADMIN,
        }
        if profile.is_remote:
            # Nobody gets in by it: whoever asks for the account is asked of the server.
            table["password"] = secrets.token_hex(16)
        else:
            table["password_hash"] = entry.password_hash
        config = read_account(entry.profile.account, table, self._inherited)
        return config if isinstance(config, AccountConfig) else invalid(config)

    # --- helpers -------------------------------------------------------------------------------

    def _restore(self) -> None:
        """Read every record; enter accounts of the file that are new."""
        start = b""
        while rows := self._store.control(Control.ACCOUNT, start, keys.END, _CHUNK):
            for key, fields in rows:
                self._take_up(keys.names_of(key)[0], fields)
            start = rows[-1][0] + b"\x00"
        new = [account for name, account in self.accounts.items() if name not in self._entries]
        if new:
            self._enter_static(new)

    def _enter_static(self, accounts: Sequence[Account]) -> None:
        """Accounts that the file names for the first time."""
        batch = self._store.batch()
        for account in accounts:
            profile = attrs.evolve(
                self._blank(account.name),
                status=_status_of(account),
                is_static=True,
                sender=account.config.default_sender,
            )
            self._enter(batch, Entry(profile=profile))
        batch.meta(LAST_UID, b"%d" % self._last_uid)
        self._store.commit_nowait(batch)

    def _take_up(self, name: str, fields: tuple[Any, ...]) -> None:
        """One record. That of an account which the file named once, and no more, is passed over."""
        account = AccountId(name)
        in_file = self.accounts.get(account)
        entry = entry_of(name, fields, is_static=in_file is not None)
        self._last_uid = max(self._last_uid, entry.profile.uid)
        if in_file is not None:
            entry = _as_static(entry, in_file)
        elif not entry.password_hash and not entry.profile.is_remote:
            return
        else:
            config = self._config_of(entry)
            if isinstance(config, Refused):
                self._log.error("account.unusable", account=name, why=config.why)
                return
            self.accounts[account] = Account(account, config)
        self._entries[account] = entry
        if entry.profile.is_banned:
            self.closed[account] = f"account {account} is closed"

    def _inherit(self, inherited: Mapping[str, Any] | None) -> list[AccountId]:
        changed: list[AccountId] = []
        if inherited is None or inherited == self._inherited:
            return changed
        self._inherited = inherited
        for name, entry in self._entries.items():
            config = self._config_of(entry) if not entry.profile.is_static else None
            if isinstance(config, AccountConfig) and config != self.accounts[name].config:
                self._open(Account(name, config))
                changed.append(name)
        return changed

    def _is_gone(self, name: AccountId, accounts: Mapping[str, AccountConfig]) -> bool:
        entry = self._entries.get(name)
        is_gone = name not in accounts and entry is not None and entry.profile.is_static
        if is_gone:
            del self._entries[name]  # its record stays: should it come back, it is the same
        return is_gone

    def _take(self, account: Account) -> None:
        entry = self._entries.get(account.name)
        if entry is None:
            key = keys.name_key(account.name)
            found = self._store.control(Control.ACCOUNT, key, key + b"\x00", 1)
            entry = entry_of(account.name, found[0][1], is_static=True) if found else None
        if entry is None:
            self._enter_static((account,))
        else:
            batch = self._store.batch()
            self._enter(batch, _as_static(entry, account))
            self._store.commit_nowait(batch)
        self._open(account)


def _status_of(account: Account) -> AccountStatus:
    return AccountStatus.ADMIN if account.admin else AccountStatus.USER


def _as_static(entry: Entry, account: Account) -> Entry:
    """What is kept of an account that stands in the file: the file says the rest."""
    profile = attrs.evolve(
        entry.profile, is_static=True, is_remote=False, status=_status_of(account), parent=None
    )
    return attrs.evolve(entry, profile=profile, settings={}, password_hash="")
