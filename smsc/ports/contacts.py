"""The phonebook of each account: contacts and groups of them.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Sequence
from typing import Protocol

import attrs

from smsc.message import AccountId
from smsc.ports.intake import Refused


@attrs.frozen(kw_only=True)
class Contact:
    """Somebody with a number."""

    id: int = 0
    """0 for one that is to be created."""
    name: str
    number: str
    email: str = ""
    tags: str = ""
    groups: tuple[str, ...] = ()
    """Codes of the groups it belongs to."""


@attrs.frozen(kw_only=True)
class ContactGroup:
    """A group of contacts, called by its code."""

    id: int = 0
    """0 for one that is to be created."""
    name: str
    code: str
    """Without white space; compared without regard to case."""
    flag_sender: int = 0
    """Who may send to it: 0 its owner, 1 members, 2 anyone."""


class Contacts(Protocol):
    """Verbs that change something return after fsync."""

    def contacts(
        self, account: AccountId, keyword: str = "", limit: int = 100
    ) -> Sequence[Contact]:
        """Contacts whose name, number or e-mail holds the keyword, whatever its case; by name."""

    def groups(
        self, account: AccountId, keyword: str = "", limit: int = 100
    ) -> Sequence[ContactGroup]:
        """Groups whose name or code holds the keyword, whatever its case; by name."""

    def newest_contacts(
        self, account: AccountId, keyword: str = "", below: int | None = None, limit: int = 100
    ) -> Sequence[Contact]:
        """The same contacts, newest first, with ids below `below`: for pages."""

    def newest_groups(
        self, account: AccountId, keyword: str = "", below: int | None = None, limit: int = 100
    ) -> Sequence[ContactGroup]:
        """The same groups, newest first, with ids below `below`: for pages."""

    def members(self, account: AccountId, code: str) -> Sequence[Contact] | None:
        """The contacts of a group; None if the account has no such group."""

    async def put_contact(self, account: AccountId, contact: Contact) -> Contact | Refused:
        """Create (id 0) or overwrite a contact."""

    async def put_group(self, account: AccountId, group: ContactGroup) -> ContactGroup | Refused:
        """Create (id 0) or overwrite a group."""

    async def remove_contact(self, account: AccountId, id_: int) -> bool:
        """Delete a contact; False if there was none."""

    async def remove_group(self, account: AccountId, id_: int) -> bool:
        """Delete a group, not its contacts; False if there was none."""
