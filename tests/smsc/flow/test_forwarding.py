"""What the flags of a profile make of a message that comes to its account's inbox."""

from itertools import product
from typing import Any

import attrs
import pytest
import trio

from routing.mo import MoTable
from routing.rule import MoRule
from smsc.config_mail import MailConfig
from smsc.directory.inbox import InboxShelf
from smsc.flow.forwarding import KEEP_MS, Forwarding
from smsc.message import AccountId, Delivery, Mailbox
from smsc.ports import InboxQuery, Profile, Received
from tests.flow.house import DEMO, START_MS, FakeReceiver, House
from tests.smsc.flow.test_inbound import mo, parts

MAIL = MailConfig(host="localhost", sender="sms@gw.example")
MAIL_BOX, MOBILE_BOX = Mailbox("mail:demo"), Mailbox("mobile:demo")
WAYS = ("to_inbox", "to_email", "to_mobile")
RULES = MoTable(
    (
        MoRule("demo", to=("1",), keyword="keep", deliver="inbox"),
        MoRule("demo", to=("2",), deliver="inbox"),
        MoRule("demo", to=("3",)),
        MoRule("demo", to=("4",), deliver="callback", callback="https://rule.example/in"),
    )
)


class Forward:
    """A house with inboxes, and one account with a profile."""

    def __init__(self, **profile: Any) -> None:
        self.house = House()
        store, ids = self.house.store, self.house.store.ids
        self.profile = Profile(
            account=DEMO, uid=1, email="shop@example.org", mobile="+41 79 999 00 00"
        )
        self.set(**profile)
        self.shelf = InboxShelf(store, ids, lambda: self.house.now_ms, {DEMO}.__contains__)
        self.door = Forwarding(
            self.shelf.keep,
            lambda account: self.profile if account == DEMO else None,
            ids,
            self.house.log,
            MAIL,
        )
        inbound = self.house.inbound
        inbound.routes = RULES
        inbound.has_sandbox = True
        inbound.take_in = self.shelf.take_in = self.door.take_in
        inbound.keep, inbound.take_away = self.shelf.keep, self.shelf.take_away
        self.shelf.arrived = self.house.mailboxes.arrived

    def set(self, **profile: Any) -> None:
        """Change the profile; `ways` are the flags that are on."""
        if "ways" in profile:
            ways = profile.pop("ways")
            profile |= {f"forward_{way}": way in ways for way in WAYS}
        self.profile = attrs.evolve(self.profile, **profile)

    def bring(self, *bodies: bytes) -> None:
        """The network brings them; on disk."""
        answers = self.house.mobile_originated(*bodies)
        self.house.commit()
        assert not any(answers), answers

    def went(self) -> tuple[int, int, int]:
        """How many the inbox, the mail and the mobile have."""
        house = self.house
        return len(self.kept()), len(house.parked(MAIL_BOX)), len(house.parked(MOBILE_BOX))

    def kept(self) -> list[Received]:
        return list(self.shelf.received(DEMO, InboxQuery()))

    def reasons(self) -> list[str]:
        """Why copies could not be made, as logged."""
        told = [facts for name, facts in self.house.log.events if name == "forward.not_possible"]
        assert all(facts["account"] == "demo" for facts in told)
        return [facts["why"] for facts in told]


async def written_by_another(forward: Forward) -> None:
    """Another account writes to it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(forward.shelf.write, DEMO, "@boss", "Keep this", AccountId("boss"))
        await trio.testing.wait_all_tasks_blocked()
        assert not forward.house.unattended
        forward.house.commit()


ALL_WAYS = [
    {way for way, is_on in zip(WAYS, on, strict=True) if is_on}
    for on in product((True, False), repeat=3)
]


@pytest.mark.parametrize("ways", ALL_WAYS, ids=str)
@pytest.mark.parametrize("how", ["keyword", "number", "account"])
async def test_every_flag_for_every_way_into_an_inbox(how: str, ways: set[str]) -> None:
    forward = Forward(ways=ways)
    if how == "account":
        await written_by_another(forward)
    else:
        forward.bring(mo("12345" if how == "keyword" else "2", b"Keep this"))
    is_kept = "to_inbox" in ways or not ways
    assert forward.went() == (is_kept, "to_email" in ways, "to_mobile" in ways)
    waits = {MAIL_BOX: "to_email" in ways, MOBILE_BOX: "to_mobile" in ways}
    assert forward.house.unattended == [box for box, is_there in waits.items() if is_there]
    assert len(forward.reasons()) == (not ways)


def test_what_is_parked() -> None:
    forward = Forward(ways=WAYS)
    forward.bring(mo("2", b"hello"))
    (mail,) = forward.house.parked(MAIL_BOX)
    (sms,) = forward.house.parked(MOBILE_BOX)
    for copy in (mail, sms):
        assert (copy.kind, copy.account) == ("mo", "demo")
        assert (copy.created_ms, copy.expires_ms) == (START_MS, START_MS + KEEP_MS)
    assert mail.callback_url == "mailto:shop@example.org"
    assert b"\r\nhello\r\n" in mail.body
    assert f"Message-ID: <{mail.id}@gw.example>".encode() in mail.body
    assert sms.callback_url is None
    assert b"4179000001: hello" in sms.body
    assert len({mail.id, sms.id, forward.kept()[0].id}) == 3


def test_copies_are_offered_only_after_the_disk() -> None:
    forward = Forward(ways=["to_email"])
    receiver = FakeReceiver()
    forward.house.mailboxes.attach(MAIL_BOX, receiver)
    forward.house.mobile_originated(mo("2"))
    assert receiver.got == []
    forward.house.commit()
    assert [one.mailbox for one in receiver.got] == [MAIL_BOX]


@pytest.mark.parametrize("committed", [0, 1])
def test_message_and_copies_are_one_commit(committed: int) -> None:
    forward = Forward(ways=["to_email", "to_mobile"])
    forward.house.mobile_originated(mo("2"))
    assert forward.house.store.unwritten == 1
    forward.house.restart(committed)
    assert [len(forward.house.parked(box)) for box in (MAIL_BOX, MOBILE_BOX)] == [committed] * 2


@pytest.mark.parametrize(
    ("ways", "profile", "has_mail", "why"),
    [
        (["to_email"], {}, False, "[mail]"),
        (["to_email"], {"email": ""}, True, "no email"),
        (["to_email"], {"email": "Shop <shop@example.org>"}, True, "no plain address"),
        (["to_email"], {"email": "a@b\r\nBcc: c@d"}, True, "no plain address"),
        (["to_mobile"], {"mobile": ""}, True, "no mobile"),
        (["to_mobile"], {"mobile": "ask Bob"}, True, "mobile is no number"),
        (["to_mobile"], {"mobile": "4179000001"}, True, "from or to mobile itself"),
        (["to_mobile"], {"mobile": "+2"}, True, "from or to mobile itself"),
        ([], {}, True, "off"),
    ],
)
def test_what_nothing_else_takes_is_kept_and_told_once(
    ways: list[str], profile: dict[str, str], has_mail: bool, why: str
) -> None:
    forward = Forward(ways=ways, **profile)
    if not has_mail:
        forward.door.mail = None
    forward.bring(mo("2"))
    forward.bring(mo("2"), mo("2"))
    assert forward.went() == (3, 0, 0)
    (reason,) = forward.reasons()
    assert why in reason


def test_one_copy_is_enough_not_to_keep_it() -> None:
    forward = Forward(ways=["to_email", "to_mobile"], mobile="")
    forward.bring(mo("2"))
    assert forward.went() == (0, 1, 0)
    assert len(forward.reasons()) == 1


def test_each_reason_is_told_and_a_mended_profile_forwards() -> None:
    forward = Forward(ways=["to_email"], email="")
    forward.bring(mo("2"))
    forward.set(email="nobody")
    forward.bring(mo("2"))
    forward.set(email="shop@example.org")
    forward.bring(mo("2"))
    assert forward.went() == (2, 1, 0)
    assert len(forward.reasons()) == 2


def test_the_sandbox_and_other_targets_have_nothing_to_do_with_flags() -> None:
    forward = Forward(ways=["to_email", "to_mobile"])
    forward.bring(mo("999"), mo("3"), mo("4"))
    assert forward.went() == (0, 0, 0)
    assert len(forward.shelf.sandbox(InboxQuery())) == 1
    assert len(forward.house.parked()) == 1
    assert len(forward.house.parked(Mailbox("callback:https://rule.example"))) == 1


def test_an_account_that_is_gone_keeps_what_comes() -> None:
    forward = Forward(ways=["to_email"])
    forward.house.inbound.routes = MoTable((MoRule("gone", to=("2",), deliver="inbox"),))
    forward.bring(mo("2"))
    assert len(forward.shelf.received(AccountId("gone"), InboxQuery())) == 1


@pytest.mark.parametrize("ways", [["to_email", "to_mobile"], WAYS])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_long_message_is_forwarded_once_when_it_is_whole(ways: list[str], at_once: bool) -> None:
    forward = Forward(ways=ways)
    first, second, third = parts("2", ["Keep a long ", "text ", "together"])
    if at_once:
        forward.bring(third, first, second)
    else:
        forward.bring(third)
        assert forward.went() == (1, 0, 0), "a part stands in the inbox, whatever the flags say"
        forward.bring(first, first)
        assert forward.went() == (2, 0, 0)
        forward.bring(second)
    assert forward.went() == ("to_inbox" in ways, 1, 1)
    assert [one.text for one in forward.kept()] == ["Keep a long text together"] * (
        "to_inbox" in ways
    )
    assert forward.shelf.count(DEMO) == len(forward.kept())
    (mail,) = forward.house.parked(MAIL_BOX)
    assert b"\r\nKeep a long text together\r\n" in mail.body


def test_parts_that_never_become_whole_stay_in_the_inbox() -> None:
    forward = Forward(ways=["to_email"])
    first, _, third = parts("2", ["one ", "two ", "three"])
    forward.bring(first, third)
    forward.house.now_ms += 24 * 3600 * 1000
    forward.bring(mo("2"))
    assert forward.went() == (2, 1, 0)


async def test_a_writer_who_does_not_wait_leaves_copies_that_are_offered() -> None:
    forward = Forward(ways=["to_email"])
    got: list[Delivery] = []
    forward.shelf.arrived = got.extend
    async with trio.open_nursery() as nursery:
        nursery.start_soon(forward.shelf.write, DEMO, "@boss", "hello", AccountId("boss"))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert got == []
    forward.house.commit()
    assert [one.mailbox for one in got] == [MAIL_BOX]
