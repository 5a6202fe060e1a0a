"""What people change of accounts while the gateway runs.

*In*: changes, by whom. *Out*: changes after fsync, or `Refused` in one sentence.
*Never*: a change that the configuration file would undo: what stands there is changed there;
a password or token in a log.

Implements `smsc.ports.Directory`, with `stored_accounts`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs
import trio

from pdu.status import Vendor
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import Account
from smsc.directory.durable import written
from smsc.directory.passwords import hash_password
from smsc.directory.profile_checks import invalid, name_fault, password_fault, value_fault
from smsc.directory.records import Entry
from smsc.directory.stored_accounts import LAST_UID, StoredDirectory
from smsc.message import AccountId
from smsc.ports import AccountStatus, Batch, Control, NewProfile, Profile, Refused, Store
from smsc.store import keys

LIMIT: Final = 100_000
"""Accounts of a node."""
_FIXED: Final = frozenset({"account", "uid", "is_static", "is_remote", "is_banned", "created_ms"})
"""Fields of a profile that nobody may set."""


class NodeDirectory(StoredDirectory):
    """The accounts of a node.

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
        template: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(accounts, store, now_ms, inherited, log, template)
        self.adding: Callable[[Batch, Account], None] = lambda *_: None
        self.removing: Callable[[Batch, AccountId], None] = lambda *_: None

    # --- changes -------------------------------------------------------------------------------

    async def add(self, new: NewProfile, by: AccountId) -> Profile | Refused:
        """Create an account."""
        fault = name_fault(new.account) or password_fault(new.password)
        if fault is not None:
            return fault
        password_hash = await self._hashed(new.password)
        if new.account in self._entries:  # looked at behind the wait for the hash
            why = f"there is an account {new.account} already: choose another name"
            return Refused(Vendor.SMSC_EXISTS, why)
        if len(self._entries) >= LIMIT:
            return invalid(f"a node has at most {LIMIT} accounts")
        blank = self._blank(new.account)
        wanted = {**new.profile, "status": new.status, "parent": new.parent}
        profile = self._evolved(blank, wanted)
        if isinstance(profile, Refused):
            return profile
        entry = Entry(profile=profile, settings=dict(new.settings), password_hash=password_hash)
        config = self._config_of(entry)
        if isinstance(config, Refused):
            return config
        batch = self._store.batch()
        batch.meta(LAST_UID, b"%d" % self._last_uid)
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
            fault = (
                self._static_fault(account, "its password")
                or self._remote_fault(account)
                or password_fault(password)
            )
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
        config = None if profile.is_static else self._config_of(changed)
        if isinstance(config, Refused):
            return config
        batch = self._store.batch()
        self._enter(batch, changed)  # first: who pays for it may be another one now
        if config is not None:
            self._open(Account(account, config))
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
        children = self._children(account)
        if children:
            why = f"account {account} has subusers ({', '.join(children[:5])}): remove them first"
            return invalid(why)
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

    # --- helpers -------------------------------------------------------------------------------

    def _remote_fault(self, account: AccountId) -> Refused | None:
        profile = self.profile(account)
        if profile is not None and profile.is_remote:
            return invalid(f"the directory server knows the password of {account}: change it there")
        return None

    async def _change_entry(self, account: AccountId, **changes: Any) -> Refused | None:
        entry = self._entries.get(account)
        if entry is None:
            return _unknown(account)
        batch = self._store.batch()
        self._enter(batch, attrs.evolve(entry, **changes))
        await written(self._store, batch)
        return None

    async def _hashed(self, password: str) -> str:
        stored = await trio.to_thread.run_sync(hash_password, password, limiter=self._limiter)
        return stored.text

    def _static_fault(self, account: AccountId, what: str) -> Refused | None:
        entry = self._entries.get(account)
        if entry is not None and entry.profile.is_static:
            why = f"account {account} stands in the configuration file: change {what} there"
            return invalid(why)
        return None

    def _evolved(self, profile: Profile, changes: Mapping[str, object]) -> Profile | Refused:
        """The profile with changes, or why it cannot be so."""
        fields = attrs.fields_dict(Profile)
        for name, value in changes.items():
            if name not in fields or name in _FIXED:
                return invalid(f"a profile has no field {name!r} that can be set")
            fault = value_fault(name, value, fields[name].default)
            if fault:
                return invalid(fault)
        changed = attrs.evolve(profile, **changes)  # type: ignore[arg-type]
        return self._family_fault(changed) or self._email_fault(changed) or changed

    def _family_fault(self, profile: Profile) -> Refused | None:
        """Does a subuser, and no other, have a parent that is an account of its own?"""
        if profile.status != AccountStatus.SUBUSER:
            if profile.parent is not None:
                return invalid(f"only a subuser has a parent; {profile.account} is none")
            return None
        parent = self.profile(profile.parent) if profile.parent is not None else None
        if parent is None or parent.status == AccountStatus.SUBUSER:
            return invalid(f"subuser {profile.account} needs a parent that is an account itself")
        if self._children(profile.account):
            return invalid(f"account {profile.account} has subusers and cannot become one")
        return None

    def _children(self, account: AccountId) -> list[AccountId]:
        return [name for name, one in self._entries.items() if one.profile.parent == account]

    def _email_fault(self, profile: Profile) -> Refused | None:
        """Is it the only account with that e-mail address? It is a login, too."""
        other = self.find(profile.email) if "@" in profile.email else None
        if other is None or other.account == profile.account:
            return None
        return Refused(Vendor.SMSC_EXISTS, f"the e-mail {profile.email!r} is another account's")


def _merged(settings: Mapping[str, Any], changes: object) -> Mapping[str, Any]:
    if not isinstance(changes, Mapping):
        return settings
    merged = {**settings, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _unknown(account: str) -> Refused:
    return Refused(Vendor.SMSC_UNKNOWN, f"there is no account {account[:40]!r}")
