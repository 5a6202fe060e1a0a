"""The four rooms of the directory, wired: accounts, credit, contacts, inboxes.

*In*: the configuration and the store. *Out*: `DirectoryRooms`. *Never*: a decision of its own.
"""

from collections.abc import Callable
from typing import Any

import attrs

from smsc.config import Config
from smsc.directory.accounts import Account
from smsc.directory.contacts import ContactBook
from smsc.directory.credits import CreditBook
from smsc.directory.enrolment import LdapDirectory
from smsc.directory.inbox import InboxShelf
from smsc.directory.ldap import Ldap
from smsc.directory.profiles import NodeDirectory
from smsc.directory.tariff import Tariff
from smsc.message import AccountId
from smsc.ports import Batch, Store
from smsc.store.ids import IdAllocator


@attrs.frozen
class DirectoryRooms:
    """The directory of a node."""

    directory: NodeDirectory
    credits: CreditBook
    contacts: ContactBook
    inbox: InboxShelf


def build_rooms(
    config: Config, store: Store, ids: IdAllocator, now_ms: Callable[[], int], log: Any
) -> DirectoryRooms:
    """Read what the store has, and enter accounts of the file that are new."""
    tariff = config.tariff()
    if not isinstance(tariff, Tariff):
        raise ValueError(f"{config.credit.prices}: {tariff[0].why}")  # noqa: TRY004 - of the file
    of_node = (config.accounts, store, now_ms, config.inherited(), log)
    directory = (
        NodeDirectory(*of_node)
        if config.ldap is None
        else LdapDirectory(*of_node, Ldap(config.ldap, log), config.ldap.account)
    )

    def parent_of(account: AccountId) -> AccountId | None:
        profile = directory.profile(account)
        return None if profile is None else profile.parent

    rooms = DirectoryRooms(
        directory,
        CreditBook(store, now_ms, tariff, parent_of, config.credit.refund),
        ContactBook(store),
        InboxShelf(
            store,
            ids,
            now_ms,
            lambda account: account in directory.accounts,
            keep_s=config.inbox.keep_s,
            limit=config.inbox.limit,
        ),
    )
    for account in directory.accounts.values():
        rooms.credits.learn(account.name, account.config)

    def adding(batch: Batch, account: Account) -> None:
        rooms.credits.open(batch, account.name, account.config, is_new=True)

    def removing(batch: Batch, account: AccountId) -> None:
        rooms.credits.close(batch, account)
        rooms.contacts.forget(batch, account)
        rooms.inbox.forget(batch, account)

    directory.adding = adding
    directory.removing = removing
    return rooms
