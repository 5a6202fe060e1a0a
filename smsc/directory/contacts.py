"""The phonebooks: contacts and groups of each account, in memory and on disk.

*In*: contacts, groups. *Out*: what was found; changes after fsync, or `Refused`.
*Never*: a group that a contact belongs to and nobody has; two groups of an account with one code.

Implements `smsc.ports.Contacts`. A phonebook is small: it is read at start and looked through.
Keys: the account, then a number; groups and contacts draw from one series of numbers.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar

import attrs

from pdu.address import destination_fault, guess_destination
from pdu.status import Vendor
from smsc.directory.durable import written
from smsc.message import AccountId
from smsc.ports import Batch, Contact, ContactGroup, Control, Refused, Store
from smsc.store import keys

LIMIT: Final = 100_000
"""Contacts and groups of one account; more is a mailing system, not a phonebook."""
_CHARACTERS: Final = 250
"""Of a name, an e-mail address, tags."""
_CHUNK: Final = 1000
_CONTACT, _GROUP = "contact", "group"
_CODE: Final = re.compile(r"[^\s,#@]{1,40}")

_by_name = attrgetter("name")
_Kept = TypeVar("_Kept", Contact, ContactGroup)


@attrs.define(slots=True)
class _Book:
    """One account's phonebook."""

    contacts: dict[int, Contact] = attrs.field(factory=dict)
    groups: dict[int, ContactGroup] = attrs.field(factory=dict)


class ContactBook:
    """Every phonebook of a node."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books: dict[AccountId, _Book] = {}
        self._next_id = 1
        for key, fields in _rows(store):
            owner, number = keys.owned_of(key)
            self._remember(AccountId(owner), number, fields)

    # --- questions -----------------------------------------------------------------------------

    def contacts(
        self, account: AccountId, keyword: str = "", limit: int = 100
    ) -> Sequence[Contact]:
        """Contacts whose name, number or e-mail holds the keyword, whatever its case; by name."""
        found = filter(_contact_holds(keyword), self._book(account).contacts.values())
        return sorted(found, key=_by_name)[:limit]

    def groups(
        self, account: AccountId, keyword: str = "", limit: int = 100
    ) -> Sequence[ContactGroup]:
        """Groups whose name or code holds the keyword, whatever its case; by name."""
        found = filter(_group_holds(keyword), self._book(account).groups.values())
        return sorted(found, key=_by_name)[:limit]

    def newest_contacts(
        self, account: AccountId, keyword: str = "", below: int | None = None, limit: int = 100
    ) -> Sequence[Contact]:
        """The same contacts, newest first, with ids below `below`: for pages.

        An id stays where it is while contacts are renamed, added and deleted between two pages.
        """
        kept = _newest(self._book(account).contacts, below)
        return list(islice(filter(_contact_holds(keyword), kept), limit))

    def newest_groups(
        self, account: AccountId, keyword: str = "", below: int | None = None, limit: int = 100
    ) -> Sequence[ContactGroup]:
        """The same groups, newest first, with ids below `below`: for pages."""
        kept = _newest(self._book(account).groups, below)
        return list(islice(filter(_group_holds(keyword), kept), limit))

    def members(self, account: AccountId, code: str) -> Sequence[Contact] | None:
        """The contacts of a group; None if the account has no such group."""
        book = self._book(account)
        group = _coded(book, code)
        if group is None:
            return None
        return sorted(
            (one for one in book.contacts.values() if group.code in one.groups), key=_by_name
        )

    def page(self, account: AccountId, after: int, limit: int) -> Sequence[Contact]:
        """Contacts with an id above `after`, by id: for whoever reads them all."""
        contacts = self._book(account).contacts
        return [contacts[id_] for id_ in sorted(contacts) if id_ > after][:limit]

    # --- changes -------------------------------------------------------------------------------

    async def put_contact(self, account: AccountId, contact: Contact) -> Contact | Refused:
        """Create (id 0) or overwrite a contact."""
        batch = self._store.batch()
        put = self.enter_contact(batch, account, contact)
        if not isinstance(put, Refused):
            await written(self._store, batch)
        return put

    def enter_contact(
        self, batch: Batch, account: AccountId, contact: Contact
    ) -> Contact | Refused:
        """As `put_contact`, as part of a batch: it counts at once, and lasts once that is on disk."""
        book = self._own_book(account)
        fault = _contact_fault(contact) or self._room_fault(book, contact.id, book.contacts)
        if fault is not None:
            return fault
        codes = []
        for code in contact.groups:
            group = _coded(book, code)
            if group is None:
                return _invalid(f"account {account} has no group of contacts {code!r}")
            codes.append(group.code)
        contact = attrs.evolve(
            contact, id=contact.id or self._take_id(), groups=tuple(dict.fromkeys(codes))
        )
        book.contacts[contact.id] = contact
        _write_contact(batch, account, contact)
        return contact

    async def put_group(self, account: AccountId, group: ContactGroup) -> ContactGroup | Refused:
        """Create (id 0) or overwrite a group; its contacts follow it to a new code."""
        batch = self._store.batch()
        put = self.enter_group(batch, account, group)
        if not isinstance(put, Refused):
            await written(self._store, batch)
        return put

    def enter_group(
        self, batch: Batch, account: AccountId, group: ContactGroup
    ) -> ContactGroup | Refused:
        """As `put_group`, as part of a batch."""
        book = self._own_book(account)
        fault = _group_fault(group) or self._room_fault(book, group.id, book.groups)
        if fault is not None:
            return fault
        other = _coded(book, group.code)
        if other is not None and other.id != group.id:
            why = f"account {account} has a group of contacts {other.code!r}: choose another code"
            return Refused(Vendor.SMSC_EXISTS, why)
        old = book.groups.get(group.id)
        group = attrs.evolve(group, id=group.id or self._take_id())
        book.groups[group.id] = group
        if old is not None and old.code != group.code:
            self._recode(batch, account, book, old.code, group.code)
        fields = (_GROUP, group.name, group.code, group.flag_sender)
        batch.control(Control.CONTACT, keys.owned_key(account, group.id), fields)
        return group

    async def remove_contact(self, account: AccountId, id_: int) -> bool:
        """Delete a contact; False if there was none."""
        if self._book(account).contacts.pop(id_, None) is None:
            return False
        batch = self._store.batch()
        batch.control(Control.CONTACT, keys.owned_key(account, id_), None)
        await written(self._store, batch)
        return True

    async def remove_group(self, account: AccountId, id_: int) -> bool:
        """Delete a group, not its contacts; False if there was none."""
        book = self._book(account)
        group = book.groups.pop(id_, None)
        if group is None:
            return False
        batch = self._store.batch()
        self._recode(batch, account, book, group.code, None)
        batch.control(Control.CONTACT, keys.owned_key(account, id_), None)
        await written(self._store, batch)
        return True

    def batch(self) -> Batch:
        """An empty batch for `enter_…`."""
        return self._store.batch()

    async def written(self, batch: Batch) -> None:
        """Hand it in, and return after fsync."""
        await written(self._store, batch)

    def forget(self, batch: Batch, account: AccountId) -> None:
        """The account goes, and its phonebook with it."""
        book = self._books.pop(account, None)
        if book is not None:
            for id_ in (*book.contacts, *book.groups):
                batch.control(Control.CONTACT, keys.owned_key(account, id_), None)

    # --- helpers -------------------------------------------------------------------------------

    def _book(self, account: AccountId) -> _Book:
        return self._books.get(account) or _Book()

    def _own_book(self, account: AccountId) -> _Book:
        return self._books.setdefault(account, _Book())

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _room_fault(self, book: _Book, id_: int, known: dict[int, Any]) -> Refused | None:
        if id_:
            return None if id_ in known else Refused(Vendor.SMSC_UNKNOWN, f"there is no id {id_}")
        if len(book.contacts) + len(book.groups) >= LIMIT:
            return _invalid(f"a phonebook holds {LIMIT} contacts and groups; delete some first")
        return None

    def _recode(
        self, batch: Batch, account: AccountId, book: _Book, old: str, new: str | None
    ) -> None:
        """Contacts of the group called `old` belong to `new` instead, or to none."""
        for contact in book.contacts.values():
            if old in contact.groups:
                groups = tuple(
                    code
                    for code in (new if one == old else one for one in contact.groups)
                    if code is not None
                )
                changed = attrs.evolve(contact, groups=groups)
                book.contacts[contact.id] = changed
                _write_contact(batch, account, changed)

    def _remember(self, account: AccountId, number: int, fields: tuple[Any, ...]) -> None:
        self._next_id = max(self._next_id, number + 1)
        kind, *rest = fields
        book = self._own_book(account)
        if kind == _GROUP:
            name, code, flag_sender = rest
            book.groups[number] = ContactGroup(
                id=number, name=name, code=code, flag_sender=flag_sender
            )
        else:
            name, address, email, tags, groups = rest
            book.contacts[number] = Contact(
                id=number, name=name, number=address, email=email, tags=tags, groups=groups
            )


def _rows(store: Store) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    start = b""
    while rows := store.control(Control.CONTACT, start, keys.END, _CHUNK):
        yield from rows
        start = rows[-1][0] + b"\x00"


def _write_contact(batch: Batch, account: AccountId, one: Contact) -> None:
    fields = (_CONTACT, one.name, one.number, one.email, one.tags, one.groups)
    batch.control(Control.CONTACT, keys.owned_key(account, one.id), fields)


def _newest(kept: Mapping[int, _Kept], below: int | None) -> Iterator[_Kept]:
    ids = sorted(kept, reverse=True)  # they lie in order: this costs little
    return (kept[id_] for id_ in ids if below is None or id_ < below)


def _contact_holds(keyword: str) -> Callable[[Contact], bool]:
    wanted = keyword.casefold()
    return lambda one: wanted in f"{one.name}\n{one.number}\n{one.email}".casefold()


def _group_holds(keyword: str) -> Callable[[ContactGroup], bool]:
    wanted = keyword.casefold()
    return lambda one: wanted in f"{one.name}\n{one.code}".casefold()


def _coded(book: _Book, code: str) -> ContactGroup | None:
    wanted = code.casefold()
    return next((one for one in book.groups.values() if one.code.casefold() == wanted), None)


def _contact_fault(contact: Contact) -> Refused | None:
    for what in ("name", "email", "tags"):
        if len(getattr(contact, what)) > _CHARACTERS:
            return _invalid(f"the {what} of a contact has at most {_CHARACTERS} characters")
    if not contact.name.strip():
        return _invalid("a contact needs a name")
    fault = destination_fault(*guess_destination(contact.number)) if contact.number else "none"
    if fault is not None:
        return _invalid(f"{contact.number[:40]!r} cannot be the number of a contact: {fault}")
    return None


def _group_fault(group: ContactGroup) -> Refused | None:
    if not group.name.strip() or len(group.name) > _CHARACTERS:
        return _invalid(f"a group of contacts needs a name of at most {_CHARACTERS} characters")
    if not _CODE.fullmatch(group.code):
        return _invalid(
            f"{group.code[:40]!r} cannot be the code of a group: expected 1 to 40 characters "
            "without spaces, commas, # and @"
        )
    if group.flag_sender not in {0, 1, 2}:
        return _invalid(f"flag_sender is 0, 1 or 2, not {group.flag_sender}")
    return None


def _invalid(why: str) -> Refused:
    return Refused(Vendor.SMSC_INVALID, why)
