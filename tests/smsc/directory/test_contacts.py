"""Phonebooks: found, changed, grouped, and the same after a restart."""

from pathlib import Path

import attrs
import pytest

from pdu.status import Vendor
from smsc.directory import contacts
from smsc.directory.contacts import ContactBook
from smsc.message import AccountId
from smsc.ports import Contact, ContactGroup, Contacts, Refused
from tests.smsc.directory.rooms import ADMIN, USER, Annex


@pytest.fixture
def annex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Annex:
    return Annex(tmp_path, monkeypatch)


def book(annex: Annex) -> ContactBook:
    port: Contacts = annex.rooms.contacts  # mypy proves it
    assert port is annex.rooms.contacts
    return annex.rooms.contacts


async def put(annex: Annex, name: str, *groups: str, account: AccountId = USER) -> Contact:
    contact = Contact(name=name, number="+41791234567", email=f"{name}@x.ch", groups=groups)
    kept = await book(annex).put_contact(account, contact)
    assert isinstance(kept, Contact), kept
    return kept


async def put_group(annex: Annex, code: str, account: AccountId = USER) -> ContactGroup:
    kept = await book(annex).put_group(account, ContactGroup(name=f"Group {code}", code=code))
    assert isinstance(kept, ContactGroup), kept
    return kept


def names(found: object) -> list[str]:
    assert isinstance(found, list)
    return [one.name for one in found]


async def test_contacts_are_found_by_any_part_and_case_and_by_name(annex: Annex) -> None:
    await put(annex, "Zoé")
    await put(annex, "ann")
    await put(annex, "Other", account=ADMIN)
    for _ in range(2):
        assert names(book(annex).contacts(USER)) == ["Zoé", "ann"]
        assert names(book(annex).contacts(USER, "ANN@")) == ["ann"]
        assert names(book(annex).contacts(USER, "zOÉ")) == ["Zoé"]
        assert names(book(annex).contacts(USER, "4179", limit=1)) == ["Zoé"]
        assert names(book(annex).contacts(USER, "nobody")) == []
        assert names(book(annex).contacts(AccountId("x"))) == []
        annex.restart()


async def test_pages_are_by_id_newest_first(annex: Annex) -> None:
    kept = [await put(annex, name) for name in ("Zoé", "ann", "Bob")]
    groups = [await put_group(annex, code) for code in ("z", "a")]
    for _ in range(2):
        assert names(book(annex).newest_contacts(USER)) == ["Bob", "ann", "Zoé"]
        assert names(book(annex).newest_contacts(USER, limit=1)) == ["Bob"]
        assert names(book(annex).newest_contacts(USER, "", kept[2].id)) == ["ann", "Zoé"]
        assert names(book(annex).newest_contacts(USER, "zOÉ")) == ["Zoé"]
        assert names(book(annex).newest_contacts(USER, "", kept[0].id)) == []
        assert names(book(annex).newest_groups(USER)) == ["Group a", "Group z"]
        assert names(book(annex).newest_groups(USER, "Z", groups[1].id, 1)) == ["Group z"]
        annex.restart()


async def test_a_contact_is_overwritten_and_deleted(annex: Annex) -> None:
    kept = await put(annex, "Ann")
    changed = attrs.evolve(kept, name="Anna", number="0791234567")
    assert await book(annex).put_contact(USER, changed) == changed
    annex.restart()
    assert book(annex).contacts(USER) == [changed]
    assert await book(annex).remove_contact(USER, kept.id)
    assert not await book(annex).remove_contact(USER, kept.id)
    annex.restart()
    assert book(annex).contacts(USER) == []
    assert (await put(annex, "Bob")).id  # the series goes on


async def test_groups_have_members_by_code_whatever_its_case(annex: Annex) -> None:
    group = await put_group(annex, "Staff")
    ann = await put(annex, "Ann", "STAFF", "staff")
    await put(annex, "Bob")
    for _ in range(2):
        assert book(annex).groups(USER, "STAF") == [group]
        assert book(annex).members(USER, "sTAFF") == [ann]
        assert book(annex).members(USER, "none") is None
        assert book(annex).members(ADMIN, "Staff") is None
        annex.restart()
    assert ann.groups == ("Staff",)


async def test_contacts_follow_their_group_to_a_new_code_and_lose_one_that_ends(
    annex: Annex,
) -> None:
    staff, vip = await put_group(annex, "staff"), await put_group(annex, "vip")
    await put(annex, "Ann", "staff", "vip")
    assert isinstance(
        await book(annex).put_group(USER, attrs.evolve(staff, code="team")), ContactGroup
    )
    annex.restart()
    assert names(book(annex).members(USER, "team")) == ["Ann"]
    assert book(annex).members(USER, "staff") is None
    assert await book(annex).remove_group(USER, vip.id)
    assert not await book(annex).remove_group(USER, vip.id)
    annex.restart()
    assert [one.groups for one in book(annex).contacts(USER)] == [("team",)]


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        (Contact(name=" ", number="4179"), "needs a name"),
        (Contact(name="x" * 251, number="4179"), "the name of a contact"),
        (Contact(name="x", number=""), "the number of a contact"),
        (Contact(name="x", number="Shop?"), "the number of a contact"),
        (Contact(name="x", number="4" * 30), "the number of a contact"),
        (Contact(name="x", number="4179", email="x" * 251), "the email"),
        (Contact(name="x", number="4179", groups=("nil",)), "no group of contacts 'nil'"),
        (Contact(id=99, name="x", number="4179"), "no id 99"),
    ],
)
async def test_contacts_that_cannot_be(annex: Annex, contact: Contact, why: str) -> None:
    refused = await book(annex).put_contact(USER, contact)
    assert isinstance(refused, Refused)
    assert why in refused.why
    assert annex.store.counts()["contact"] == 0


@pytest.mark.parametrize(
    "group",
    [
        ContactGroup(name="", code="x"),
        ContactGroup(name="x", code=""),
        ContactGroup(name="x", code="a b"),
        ContactGroup(name="x", code="a,b"),
        ContactGroup(name="x", code="#a"),
        ContactGroup(name="x", code="x" * 41),
        ContactGroup(name="x", code="x", flag_sender=3),
        ContactGroup(id=99, name="x", code="x"),
    ],
)
async def test_groups_that_cannot_be(annex: Annex, group: ContactGroup) -> None:
    assert isinstance(await book(annex).put_group(USER, group), Refused)
    assert annex.store.counts()["contact"] == 0


async def test_a_code_is_one_groups(annex: Annex) -> None:
    group = await put_group(annex, "Staff")
    refused = await book(annex).put_group(USER, ContactGroup(name="x", code="sTAFF"))
    assert isinstance(refused, Refused)
    assert refused.status == Vendor.SMSC_EXISTS
    same = await book(annex).put_group(USER, attrs.evolve(group, code="STAFF"))
    assert isinstance(same, ContactGroup)
    await put_group(annex, "Staff", account=ADMIN)


async def test_a_phonebook_is_bounded(annex: Annex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "LIMIT", 2)
    await put_group(annex, "g")
    await put(annex, "Ann")
    refused = await book(annex).put_contact(USER, Contact(name="Bob", number="4179"))
    assert isinstance(refused, Refused)
    await put(annex, "Bob", account=ADMIN)
