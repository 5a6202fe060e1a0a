"""Accounts that a directory server knows: made by a template when they first log in.

*In*: names and passwords. *Out*: the account, or `AuthRefused`.
*Never*: an account of the file or one made here judged by the server; a failure of the server
held against a client.

The server says whether the password is right, and fills the profile; what the account may do, the
template says (`[ldap.account]`), and settings given to it later. From then on it is an account as
any other: it can be banned, has a token, credit, contacts.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import WRONG_PASSWORD, Account, AuthRefused, unknown
from smsc.directory.durable import written
from smsc.directory.ldap import Ldap, Right, Unavailable, Wrong
from smsc.directory.profile_checks import CHARACTERS, name_fault
from smsc.directory.profiles import LIMIT, NodeDirectory
from smsc.directory.records import Entry
from smsc.directory.stored_accounts import LAST_UID
from smsc.message import AccountId
from smsc.ports import Refused, Store


class LdapDirectory(NodeDirectory):
    """The accounts of a node, and those that a server knows.

    :param template: keys of `[accounts.NAME]` for every account of the server.
    """

    def __init__(
        self,
        accounts: Mapping[str, AccountConfig],
        store: Store,
        now_ms: Callable[[], int],
        inherited: Mapping[str, Any],
        log: Any,
        ldap: Ldap,
        template: Mapping[str, Any],
    ) -> None:
        self._ldap = ldap
        super().__init__(accounts, store, now_ms, inherited, log, template)

    async def _claim(
        self, name: str, account: Account | None, password: str
    ) -> Account | AuthRefused:
        profile = self.profile(account.name) if account is not None else None
        if profile is not None and not profile.is_remote:
            return await super()._claim(name, account, password)
        if name_fault(name) is not None:
            return unknown(name)
        match await self._ldap.verify(AccountId(name), password):
            case Right(fields):
                return await self._enrolled(AccountId(name), fields)
            case Wrong():
                return unknown(name) if account is None else WRONG_PASSWORD
            case Unavailable(why):
                return AuthRefused(Status.ESME_RSYSERR, why, is_unavailable=True)

    async def _enrolled(
        self, name: AccountId, fields: Mapping[str, str] | None
    ) -> Account | AuthRefused:
        """The account of a name that LDAP knows, made or brought up to date; after fsync."""
        entry = self._entries.get(name)
        if entry is not None and not entry.profile.is_remote:  # made here while we asked
            return WRONG_PASSWORD
        if entry is None and len(self._entries) >= LIMIT:
            return AuthRefused(Status.ESME_RSYSERR, f"a node has at most {LIMIT} accounts")
        is_new = entry is None
        if entry is None:
            entry = Entry(profile=self._blank(name, is_remote=True))
        known = {field: value[:CHARACTERS] for field, value in (fields or {}).items()}
        profile = self._evolved(entry.profile, known)
        if isinstance(profile, Refused):  # an attribute that is no e-mail, or another account's
            self._log.warning("account.unusable", account=name, why=profile.why)
            profile = entry.profile
        if profile == entry.profile and not is_new:
            return self.accounts[name]
        entry = attrs.evolve(entry, profile=profile)
        batch = self._store.batch()
        self._enter(batch, entry)
        if is_new:
            config = self._config_of(entry)
            if isinstance(config, Refused):
                del self._entries[name]
                return AuthRefused(Status.ESME_RSYSERR, config.why)
            batch.meta(LAST_UID, b"%d" % self._last_uid)
            account = Account(name, config)
            self.adding(batch, account)
            self._open(account)
            self._log.info("account.enrolled", account=name)
        await written(self._store, batch)
        return self.accounts.get(name) or unknown(name)
