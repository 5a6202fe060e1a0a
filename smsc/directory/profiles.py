"""Every account of a node and what is known of it: those of the file, and those made at run time.

*In*: changes, by whom. *Out*: profiles; changes after fsync, or `Refused` in one sentence.
*Never*: a change that the configuration file would undo: what stands there is changed there;
a password or token in a log.

Implements `smsc.ports.Directory`. All records are read at start and kept in memory.
An account made at run time is built by the reader of the configuration, so the same checks apply.
"""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import available_timezones

import attrs
import trio

from pdu.status import Vendor
from smsc.config_accounts import AccountConfig, read_account
from smsc.directory.accounts import Account, Directory
from smsc.directory.durable import written
from smsc.directory.passwords import hash_password
from smsc.directory.records import Entry, entry_of, fields_of
from smsc.message import AccountId
from smsc.ports import AccountStatus, Batch, Control, NewProfile, Profile, Refused, Store
from smsc.store import keys

LIMIT: Final = 100_000
"""Accounts of a node."""
_CHARACTERS: Final = 250
"""Of a text in a profile."""
_NAME: Final = re.compile(r"[!-~]{1,15}")
_PASSWORD_CHARACTERS: Final = 200
_CHUNK: Final = 1000
_LAST_UID: Final = "last_uid"
_FIXED: Final = frozenset({"account", "uid", "is_static", "is_banned", "created_ms"})
"""Fields of a profile that nobody may set."""
_SECRETS: Final = re.compile(r"password.*|outbind|.*_(?:file|env)")
"""Settings that stand in the configuration file only."""


class NodeDirectory(Directory):
    """The accounts that may speak, and their profiles.

    :param inherited: what accounts take from `[smpp]` when they do not say otherwise.
    :ivar removing: enters into a batch what else goes with an account.
    :ivar adding: enters into a batch what else comes with one that is made at run time.
    """

    def __init__(
        self,
        accounts: Mapping[str, AccountConfig],
        store: Store,
        now_ms: Callable[[], int],
        inherited: Mapping[str, Any],
        log: Any,
    ) -> None:
        super().__init__(accounts)
        self._store = store
        self._now_ms = now_ms
        self._inherited = inherited
        self._log = log
        self.adding: Callable[[Batch, Account], None] = lambda *_: None
        self.removing: Callable[[Batch, AccountId], None] = lambda *_: None
        self._entries: dict[AccountId, Entry] = {}
        self._last_uid = int(store.meta(_LAST_UID) or b"0")
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

    # --- changes -------------------------------------------------------------------------------

    async def add(self, new: NewProfile, by: AccountId) -> Profile | Refused:
        """Create an account."""
        fault = _name_fault(new.account) or _password_fault(new.password)
        if fault is not None:
            return fault
        password_hash = await self._hashed(new.password)
        if new.account in self._entries:  # looked at behind the wait for the hash
            why = f"there is an account {new.account} already: choose another name"
            return Refused(Vendor.SMSC_EXISTS, why)
        if len(self._entries) >= LIMIT:
            return _invalid(f"a node has at most {LIMIT} accounts")
        blank = Profile(
            account=new.account,
            uid=self._last_uid + 1,
            group_id=str(uuid.uuid4()),
            created_ms=self._now_ms(),
        )
        wanted = {**new.profile, "status": new.status, "parent": new.parent}
        profile = self._evolved(blank, wanted)
        if isinstance(profile, Refused):
            return profile
        entry = Entry(profile=profile, settings=dict(new.settings), password_hash=password_hash)
        config = self._config_of(entry)
        if isinstance(config, Refused):
            return config
        self._last_uid = profile.uid
        batch = self._store.batch()
        batch.meta(_LAST_UID, b"%d" % profile.uid)
        account = Account(new.account, config)
        self._enter(batch, entry)
        self.adding(batch, account)
        self._open(account)
        await written(self._store, batch)
        self._log.info("account.added", account=new.account, by=by)
        return profile

    async def change(
        self, account: AccountId, changes: Mapping[str, object], by: AccountId
    ) -> Profile | Refused:
        """Change fields of `Profile` by name.

        `password` (text) changes the password, `settings` (a table) overwrites some of the keys
        of `[accounts.NAME]`, None takes one back; both only of accounts made at run time.
        """
        wanted = dict(changes)
        password_hash = ""
        if "password" in wanted:
            password = wanted.pop("password")
            fault = self._static_fault(account, "its password") or _password_fault(password)
            if fault is not None:
                return fault
            password_hash = await self._hashed(str(password))
        entry = self._entries.get(account)
        if entry is None:
            return _unknown(account)
        settings = wanted.pop("settings", {})
        if settings or "status" in wanted:
            fault = self._static_fault(account, "what it may send")
            if fault is not None:
                return fault
        profile = self._evolved(entry.profile, wanted)
        if isinstance(profile, Refused):
            return profile
        changed = attrs.evolve(
            entry,
            profile=profile,
            settings=_merged(entry.settings, settings),
            password_hash=password_hash or entry.password_hash,
        )
        if not profile.is_static:
            config = self._config_of(changed)
            if isinstance(config, Refused):
                return config
            self._open(Account(account, config))
        batch = self._store.batch()
        self._enter(batch, changed)
        await written(self._store, batch)
        self._log.info("account.changed", account=account, by=by, what=sorted(changes))
        return profile

    async def remove(self, account: AccountId, by: AccountId) -> Refused | None:
        """Delete an account; its messages stay until history drops them."""
        if account not in self._entries:
            return _unknown(account)
        fault = self._static_fault(account, "it")
        if fault is not None:
            return fault
        children = [one.account for one in self.profiles() if one.parent == account]
        if children:
            why = f"account {account} has subusers ({', '.join(children[:5])}): remove them first"
            return _invalid(why)
        batch = self._store.batch()
        del self._entries[account]
        batch.control(Control.ACCOUNT, keys.name_key(account), None)
        self.removing(batch, account)
        self.accounts.pop(account, None)
        self._close(account, f"account {account} was removed")
        await written(self._store, batch)
        self._log.info("account.removed", account=account, by=by)
        return None

    async def ban(self, account: AccountId, by: AccountId, *, banned: bool) -> Refused | None:
        """Close an account: binds, requests and submissions are refused; or open it again."""
        entry = self._entries.get(account)
        if entry is None:
            return _unknown(account)
        batch = self._store.batch()
        self._enter(
            batch, attrs.evolve(entry, profile=attrs.evolve(entry.profile, is_banned=banned))
        )
        if banned:
            self._close(account, f"account {account} is closed")
        elif account in self.accounts:
            self._open(self.accounts[account])
        await written(self._store, batch)
        self._log.info("account.banned" if banned else "account.unbanned", account=account, by=by)
        return None

    async def new_token(self, account: AccountId, by: AccountId) -> str | Refused:
        """Make a new token of 32 hexadecimal digits; the old one ends."""
        token = secrets.token_hex(16)
        refused = await self._change_entry(account, token=token)
        if refused is not None:
            return refused
        self._log.info("account.token_made", account=account, by=by)
        return token

    async def new_login_key(self, account: AccountId, by: AccountId) -> str | Refused:
        """Make a key that opens one login."""
        key = secrets.token_hex(16)
        refused = await self._change_entry(account, login_key=_digest(key))
        if refused is not None:
            return refused
        self._log.info("account.login_key_made", account=account, by=by)
        return key

    async def use_login_key(self, account: AccountId, key: str) -> bool:
        """Was it the key? It is used up either way."""
        entry = self._entries.get(account)
        if entry is None or not entry.login_key:
            return False
        is_right = hmac.compare_digest(entry.login_key, _digest(key))
        await self._change_entry(account, login_key="")
        return is_right and account not in self.closed

    # --- another configuration file ------------------------------------------------------------

    def reload(
        self, accounts: Mapping[str, AccountConfig], inherited: Mapping[str, Any]
    ) -> tuple[AccountId, ...]:
        """Take over the accounts of the file as it is now, as a start with that file would.

        Returns those that are new, changed or gone. Accounts that were made at run time stay,
        unless the file names one now; what they inherit from `[smpp]` may be another.
        """
        self._inherited = inherited
        static = {name for name, entry in self._entries.items() if entry.profile.is_static}
        gone = [name for name in static if name not in accounts]
        for name in gone:
            del self._entries[name], self.accounts[name]
            self._close(name, f"account {name} was removed")
        named = {AccountId(name): Account(AccountId(name), one) for name, one in accounts.items()}
        changed = [
            name for name, one in named.items() if name not in static or self.accounts[name] != one
        ]
        self.accounts.update({name: named[name] for name in changed})
        for name in changed:
            self._take_up_static(name)
        self._enter_new([name for name in changed if name not in self._entries])
        changed += self._inherit_anew()
        for name in changed:
            self._open(self.accounts[name])
        return (*changed, *gone)

    def _take_up_static(self, name: AccountId) -> None:
        """The file names it: find the record it has from earlier times, if it has any."""
        entry = self._entries.get(name)
        key = keys.name_key(name)
        rows = self._store.control(Control.ACCOUNT, key, key + b"\x00", 1)
        fields = fields_of(entry) if entry is not None else rows[0][1] if rows else None
        if fields is not None:
            self._take_up(name, fields)

    def _inherit_anew(self) -> list[AccountId]:
        """Accounts made at run time that have other settings now."""
        changed: list[AccountId] = []
        for name, entry in self._entries.items():
            if entry.profile.is_static:
                continue
            config = self._config_of(entry)
            account = self.accounts.get(name)
            if isinstance(config, AccountConfig) and account != Account(name, config):
                self.accounts[name] = Account(name, config)
                changed.append(name)
        return changed

    # --- helpers -------------------------------------------------------------------------------

    def _restore(self) -> None:
        """Read every record; enter accounts of the file that are new."""
        start = b""
        while rows := self._store.control(Control.ACCOUNT, start, keys.END, _CHUNK):
            for key, fields in rows:
                self._take_up(keys.names_of(key)[0], fields)
            start = rows[-1][0] + b"\x00"
        self._enter_new([name for name in self.accounts if name not in self._entries])

    def _enter_new(self, names: Sequence[AccountId]) -> None:
        """Accounts of the file that no record tells of."""
        batch = self._store.batch()
        for name in names:
            self._last_uid += 1
            status = AccountStatus.ADMIN if self.accounts[name].admin else AccountStatus.USER
            profile = Profile(
                account=name,
                uid=self._last_uid,
                status=status,
                is_static=True,
                group_id=str(uuid.uuid4()),
                created_ms=self._now_ms(),
                sender=self.accounts[name].config.default_sender,
            )
            self._enter(batch, Entry(profile=profile))
        if names:
            batch.meta(_LAST_UID, b"%d" % self._last_uid)
            self._store.commit_nowait(batch)

    def _take_up(self, name: str, fields: tuple[Any, ...]) -> None:
        """One record. That of an account which the file named once, and no more, is passed over."""
        account = AccountId(name)
        in_file = self.accounts.get(account)
        entry = entry_of(name, fields, is_static=in_file is not None)
        self._last_uid = max(self._last_uid, entry.profile.uid)
        if in_file is not None:
            status = AccountStatus.ADMIN if in_file.admin else AccountStatus.USER
            profile = attrs.evolve(entry.profile, status=status, parent=None)
            entry = attrs.evolve(entry, profile=profile, settings={}, password_hash="")
        elif not entry.password_hash:
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

    def _enter(self, batch: Batch, entry: Entry) -> None:
        account = entry.profile.account
        self._entries[account] = entry
        batch.control(Control.ACCOUNT, keys.name_key(account), fields_of(entry))

    async def _change_entry(self, account: AccountId, **changes: Any) -> Refused | None:
        entry = self._entries.get(account)
        if entry is None:
            return _unknown(account)
        batch = self._store.batch()
        self._enter(batch, attrs.evolve(entry, **changes))
        await written(self._store, batch)
        return None

    def _open(self, account: Account) -> None:
        self.accounts[account.name] = account
        entry = self._entries.get(account.name)
        if entry is None or not entry.profile.is_banned:
            self.closed.pop(account.name, None)
        self.account_opened(account)

    def _close(self, account: AccountId, why: str) -> None:
        self.closed[account] = why
        self.account_closed(account, why)

    async def _hashed(self, password: str) -> str:
        stored = await trio.to_thread.run_sync(hash_password, password, limiter=self._limiter)
        return stored.text

    def _config_of(self, entry: Entry) -> AccountConfig | Refused:
        """The account as the configuration file would have made it."""
        for key in entry.settings:
            if _SECRETS.fullmatch(key):
                return _invalid(f"{key} cannot be set at run time; only the configuration file may")
        is_admin = entry.profile.status == AccountStatus.ADMIN
        table = {
            **entry.settings,
            "password_hash": entry.password_hash,
            "admin": is_admin,
        }
        config = read_account(entry.profile.account, table, self._inherited)
        return config if isinstance(config, AccountConfig) else _invalid(config)

    def _static_fault(self, account: AccountId, what: str) -> Refused | None:
        entry = self._entries.get(account)
        if entry is not None and entry.profile.is_static:
            why = f"account {account} stands in the configuration file: change {what} there"
            return _invalid(why)
        return None

    def _evolved(self, profile: Profile, changes: Mapping[str, object]) -> Profile | Refused:
        """The profile with changes, or why it cannot be so."""
        fields = attrs.fields_dict(Profile)
        for name, value in changes.items():
            if name not in fields or name in _FIXED:
                return _invalid(f"a profile has no field {name!r} that can be set")
            fault = _value_fault(name, value, fields[name].default)
            if fault:
                return _invalid(fault)
        changed = attrs.evolve(profile, **changes)  # type: ignore[arg-type]
        return self._family_fault(changed) or self._email_fault(changed) or changed

    def _family_fault(self, profile: Profile) -> Refused | None:
        """Does a subuser, and no other, have a parent that is an account of its own?"""
        if profile.status != AccountStatus.SUBUSER:
            if profile.parent is not None:
                return _invalid(f"only a subuser has a parent; {profile.account} is none")
            return None
        parent = self.profile(profile.parent) if profile.parent is not None else None
        if parent is None or parent.status == AccountStatus.SUBUSER:
            return _invalid(f"subuser {profile.account} needs a parent that is an account itself")
        if any(one.parent == profile.account for one in self.profiles()):
            return _invalid(f"account {profile.account} has subusers and cannot become one")
        return None

    def _email_fault(self, profile: Profile) -> Refused | None:
        """Is it the only account with that e-mail address? It is a login, too."""
        other = self.find(profile.email) if "@" in profile.email else None
        if other is None or other.account == profile.account:
            return None
        return Refused(Vendor.SMSC_EXISTS, f"the e-mail {profile.email!r} is another account's")


def _value_fault(name: str, value: object, default: object) -> str:
    if name == "status":
        return "" if isinstance(value, AccountStatus) else f"status: found {value!r}"
    if name == "parent":
        return "" if value is None or isinstance(value, str) else "parent: expected a name"
    kind = type(default)
    if type(value) is not kind:
        return f"{name}: expected a value of type {kind.__name__}, found {value!r}"
    if isinstance(value, str) and len(value) > _CHARACTERS:
        return f"{name}: expected at most {_CHARACTERS} characters, found {len(value)}"
    if isinstance(value, int) and value < 0:
        return f"{name}: expected a number of at least 0, found {value}"
    if name == "time_zone" and value not in available_timezones():
        return f'time_zone: expected a zone like "Europe/Zurich", found {value!r}'
    if name == "email" and value and "@" not in str(value):
        return f"email: expected an address, found {value!r}"
    return ""


def _name_fault(account: str) -> Refused | None:
    if _NAME.fullmatch(account):
        return None
    shown = account[:40]
    return _invalid(f"{shown!r} cannot be a name: 1 to 15 ASCII characters without spaces")


def _password_fault(password: object) -> Refused | None:
    if isinstance(password, str) and 0 < len(password) <= _PASSWORD_CHARACTERS:
        return None
    return _invalid(f"a password has 1 to {_PASSWORD_CHARACTERS} characters")


def _merged(settings: Mapping[str, Any], changes: object) -> Mapping[str, Any]:
    if not isinstance(changes, Mapping):
        return settings
    merged = {**settings, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _invalid(why: str) -> Refused:
    return Refused(Vendor.SMSC_INVALID, why)


def _unknown(account: str) -> Refused:
    return Refused(Vendor.SMSC_UNKNOWN, f"there is no account {account[:40]!r}")
