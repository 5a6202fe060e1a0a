"""Receipts of carriers: spelled otherwise, early, twice, for parts, or never sent at all."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from pdu.codec import peek_deliver_sm
from pdu.receipt_ids import IdHabit
from pdu.receipt_text import parse_receipt
from pdu.tlvs import Tag, find_tlv
from routing.rule import Rule
from smsc.flow.parts import aggregate
from smsc.flow.receipts import early_mailbox
from smsc.message import FINAL, LIVE, Delivery, MessageId, OutletName, State
from smsc.ports import Failed, Held, OutletPolicy, Sent, TryLater, UpstreamReceipt
from tests.flow.house import DEMO, HOME, A, B, FakeOutlet, House, draft_to

MANY = 10_000
FIRST = 0x1A2B3C4D
Spelling = Callable[[int], str]
SPELLINGS: dict[str, tuple[Spelling, Spelling]] = {
    "hex_then_decimal": (lambda n: f"{n:08x}", str),
    "decimal_then_hex": (str, lambda n: f"{n:X}"),
    "padded": (lambda n: f"{n:012d}", str),
    "padded hex": (lambda n: f"{n:016X}", lambda n: f"{n:x}"),
    "case": (lambda n: f"msg-{n:x}", lambda n: f"MSG-{n:X}"),
}


def house_of(habit: IdHabit | None = None, policy: OutletPolicy | None = None) -> House:
    house = House(outlets=[FakeOutlet(A, window=20_000), FakeOutlet(B, is_up=False)])
    if habit is not None:
        house.receipts.habits = {A: habit}
    if policy is not None:
        house.dispatch.policies = house.receipts.policies = {A: policy}
    return house


def admit(house: House, count: int, **wishes: int) -> list[MessageId]:
    ids: list[MessageId] = []
    while len(ids) < count:
        some = min(1000, count - len(ids))
        ids += house.admit(*(draft_to("4400000001", **wishes) for _ in range(some)))
    return ids


def accept(house: House, names: Iterable[str], n: int | None = None) -> None:
    parts = house.outlets[A].take_back(n)
    house.settle(
        A,
        *(Sent(id_, name, part, n) for (id_, part, n), name in zip(parts, names, strict=True)),
    )
    house.commit()


def receive(house: House, names: Sequence[str], state: State = State.DELIVERED) -> None:
    for at in range(0, len(names), 100):
        answers = house.receipt(A, *names[at : at + 100], state=state)
        assert not answers, "answered before it is on disk"
        house.commit()
        assert set(answers) == {0}


def states(house: House) -> set[State]:
    return {progress.state for progress in house.on_disk().values()}


def heard(house: House) -> list[MessageId]:
    return sorted(one.message_id for one in house.store.parked(HOME, MessageId(0), 2 * MANY))


# --- matching ---------------------------------------------------------------------------------


def test_10_000_early_receipts_match() -> None:
    house = house_of(IdHabit())
    ids = admit(house, MANY)
    names = [str(FIRST + n) for n in range(MANY)]
    receive(house, names[::-1])
    assert house.receipts.early == MANY
    receive(house, names[:50])  # twice: counted and dropped
    assert house.receipts.duplicates == 50
    accept(house, names)
    assert states(house) == {State.DELIVERED}
    assert heard(house) == ids
    assert house.receipts.early == 0
    assert not house.parked(early_mailbox(A))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("is_early", [False, True])
def test_10_000_mangled_ids_match(spelling: str, is_early: bool) -> None:
    house = house_of(IdHabit())
    ids = admit(house, MANY)
    in_response, in_receipt = SPELLINGS[spelling]
    numbers = range(FIRST, FIRST + MANY)
    if is_early:
        receive(house, [in_receipt(n) for n in numbers])
    habit = house.receipts.habits[A]
    accept(house, [in_response(n) for n in numbers])
    if not is_early:
        receive(house, [in_receipt(n) for n in numbers])
    for _ in range(20):
        house.advance(1)
        house.commit()
    assert states(house) == {State.DELIVERED}
    assert heard(house) == ids
    assert habit.word == spelling.split(maxsplit=1)[0]
    assert house.log.names().count("link.ids_learned") == 1
    assert house.receipts.unmatched == 0
    # From now on both have one key: matched in time.
    (new,) = admit(house, 1)
    name = in_response(FIRST + MANY)
    accept(house, [habit.response_key(name)])
    receive(house, [in_receipt(FIRST + MANY)])
    assert house.state(new) is State.DELIVERED


def test_numbers_that_are_equal_in_another_base_only_are_nobodys() -> None:
    house = house_of(IdHabit())
    (ten,) = admit(house, 1)
    accept(house, ["10"])
    receive(house, ["16"])
    house.advance(3700)
    house.commit()
    assert house.state(ten) in LIVE
    assert house.receipts.unmatched == 1


@pytest.mark.parametrize("of_the_forgotten", ["1e", "30"])
@pytest.mark.parametrize("has_restarted", [False, True])
def test_a_carrier_that_writes_both_in_hexadecimal_teaches_no_other_base(
    of_the_forgotten: str, has_restarted: bool
) -> None:
    """A crash forgot the message of that receipt, and other messages are called 30 and 1e."""
    house = house_of(IdHabit())
    ids = admit(house, 59)
    names = [f"{number:x}" for number in range(60) if f"{number:x}" != of_the_forgotten]
    accept(house, names)
    receive(house, [of_the_forgotten, names[11]])
    if has_restarted:
        house.restart()
        house.receipts.habits = {A: IdHabit()}
    for _ in range(10):
        house.advance(1)
        house.commit()
    assert house.receipts.habits[A].word == "same"
    assert [house.state(id_) for id_ in ids].count(State.DELIVERED) == 1
    assert house.receipts.early == 1


@pytest.mark.parametrize("has_restarted", [False, True])
def test_a_stray_receipt_with_a_letter_does_not_end_the_search(has_restarted: bool) -> None:
    house = house_of(IdHabit())
    receive(house, ["9ab1"])
    if has_restarted:
        house.restart()
        house.receipts.habits = {A: IdHabit()}
    ids = admit(house, 20)
    accept(house, [f"{FIRST + n:x}" for n in range(20)])
    receive(house, [str(FIRST + n) for n in range(20)])
    for _ in range(10):
        house.advance(1)
        house.commit()
    assert house.receipts.habits[A].word == "hex_then_decimal"
    assert {house.state(id_) for id_ in ids} == {State.DELIVERED}


def test_receipts_of_forgotten_messages_with_letters_rule_a_base_out() -> None:
    """After a crash nothing may have matched yet."""
    house = house_of(IdHabit())
    ids = admit(house, 20)
    accept(house, [f"{n:x}" for n in range(0x1A, 0x2E)])
    receive(house, [f"{n:x}" for n in range(0x2E, 0x4E)])  # 30 among them, which is 0x1e
    for _ in range(10):
        house.advance(1)
        house.commit()
    assert house.receipts.habits[A].word == "same"
    assert {house.state(id_) for id_ in ids} == {State.ENROUTE}


def test_an_id_that_may_be_two_messages_is_nobodys() -> None:
    house = house_of(IdHabit())
    ids = admit(house, 2)
    accept(house, ["msg-a", "MSG-A"])
    receive(house, ["Msg-A"])
    house.advance(2)
    house.commit()
    assert {house.state(id_) for id_ in ids} == {State.ENROUTE}


@pytest.mark.parametrize(
    ("setting", "in_response", "expected"),
    [
        ("same", "1a2b3c4{}", "hex_then_decimal"),
        ("case", "43904110{}", "decimal_then_hex"),
        ("padded", "1a2b3c4{}", "hex_then_decimal"),
        ("same", "MSG-{}", "case"),
    ],
)
def test_as_configured_no_other_spelling_is_adopted_but_the_log_says_which(
    setting: str, in_response: str, expected: str
) -> None:
    habit = IdHabit(setting)
    house = house_of(habit)
    ids = admit(house, 5)
    named = [in_response.format(n) for n in range(5)]
    accept(house, [habit.response_key(name) for name in named])
    if expected == "hex_then_decimal":
        receive(house, [str(int(name, 16)) for name in named])
    elif expected == "decimal_then_hex":
        receive(house, [f"{int(name):x}" for name in named])
    else:
        receive(house, [name.lower() for name in named])
    for _ in range(10):
        house.advance(1)
        house.commit()
    assert {house.state(id_) for id_ in ids} == {State.ENROUTE}
    assert habit.word == setting
    (said,) = [facts for name, facts in house.log.events if name == "link.ids_differ"]
    assert (said["ids"], said["expected"]) == (setting, expected)


def test_receipts_of_forgotten_messages_cast_no_doubt_on_a_setting() -> None:
    house = house_of(IdHabit("same"))
    admit(house, 20)
    accept(house, [f"{n:x}" for n in range(0x1A, 0x2E)])
    receive(house, ["1b", "30"])  # the first is known and has a letter
    house.advance(10)
    house.commit()
    assert "link.ids_differ" not in house.log.names()


def test_a_mangled_early_receipt_is_found_after_a_restart() -> None:
    house = house_of(IdHabit())
    (id_,) = admit(house, 1)
    receive(house, ["439041101"])
    accept(house, ["1a2b3c4d"])
    house.restart()
    house.receipts.habits = {A: IdHabit()}
    house.advance(2)
    house.commit()
    assert house.state(id_) is State.DELIVERED


def test_a_response_that_is_late_is_still_found() -> None:
    house = house_of(IdHabit())
    (id_,) = admit(house, 1)
    receive(house, ["439041101"])
    house.advance(2)
    house.commit()
    accept(house, ["1a2b3c4d"])
    house.advance(5)
    house.commit()
    assert house.state(id_) is State.DELIVERED


def test_twice_in_one_read_out_of_order_and_never_overwritten() -> None:
    house = house_of(IdHabit())
    (id_,) = admit(house, 1)
    accept(house, ["7"])
    states_in_order = (State.DELIVERED, State.ENROUTE, State.UNDELIVERABLE, State.DELIVERED)
    receipts = [UpstreamReceipt(A, "7", state) for state in states_in_order]
    answers: list[int] = []
    house.receipts.receipts_nowait(receipts, answers.extend)
    house.commit()
    assert answers == [0] * 4
    assert house.state(id_) is State.DELIVERED
    assert house.receipts.duplicates == 2
    assert heard(house) == [id_]


# --- parts and notices ------------------------------------------------------------------------


def told(delivery: Delivery) -> tuple[int | None, int | None, str, int]:
    """(sub, dlvrd, stat, part) of a receipt for the client."""
    peek = peek_deliver_sm(delivery.body)
    parsed = parse_receipt(delivery.body[peek.text_at : peek.text_at + peek.sm_length])
    assert parsed is not None
    part = find_tlv(delivery.body, peek.tlvs_at, Tag.SAR_SEGMENT_SEQNUM)
    return parsed.sub, parsed.dlvrd, parsed.stat, part[0] if part else 0


@pytest.mark.parametrize("by", ["outlet", "account", None])
def test_one_receipt_in_all_or_one_for_each_part(by: str | None) -> None:
    house = house_of(policy=OutletPolicy(receipts_per_part=by == "outlet"))
    if by == "account":
        house.receipts.per_part = {DEMO}
    (id_,) = house.admit(draft_to("4400000003"))
    names = house.accept_all(A)
    receive(house, names[:1])
    receive(house, names[1:2], State.UNDELIVERABLE)
    assert not house.parked()
    receive(house, names[2:])
    assert house.state(id_) is State.UNDELIVERABLE
    receipts = [told(one) for one in house.parked()]
    if by is None:
        assert receipts == [(3, 2, "UNDELIV", 0)]
    else:
        assert receipts == [(1, 1, "DELIVRD", 1), (1, 0, "UNDELIV", 2), (1, 1, "DELIVRD", 3)]


def test_a_part_that_went_well_has_no_error() -> None:
    house = house_of(policy=OutletPolicy(receipts_per_part=True))
    house.admit(draft_to("4400000002"))
    good, bad = house.accept_all(A)
    house.receipt(A, good)
    house.receipt(A, bad, state=State.UNDELIVERABLE, error=34)
    house.commit()
    told = [
        (
            one.error,
            b" err:034 " in one.body,
            find_tlv(one.body, peek_deliver_sm(one.body).tlvs_at, Tag.NETWORK_ERROR_CODE),
        )
        for one in house.parked()
    ]
    assert told == [(0, False, None), (34, True, b"\7\0\x22")]


@pytest.mark.parametrize("asked", [False, True])
def test_intermediate_notifications_pass_when_asked_for(asked: bool) -> None:
    house = house_of()
    house.admit(draft_to("4400000001", registered_delivery=0x11 if asked else 1))
    names = house.accept_all(A)
    ours = len(house.parked())  # dispatch tells of the first attempt
    receive(house, names, State.ENROUTE)
    notices = house.parked()
    assert len(notices) == ours + asked
    if asked:
        assert peek_deliver_sm(notices[-1].body).esm_class == 0x20
        assert told(notices[-1])[2] == "ENROUTE"
    receive(house, names)
    receive(house, names, State.ENROUTE)  # after the end nothing is news
    assert [one.state for one in house.parked()] == [
        *[State.ENROUTE] * (ours + asked),
        State.DELIVERED,
    ]


# --- carriers without receipts ----------------------------------------------------------------


def test_accepted_is_the_end() -> None:
    house = house_of(policy=OutletPolicy(final="accepted"))
    ids = house.admit(draft_to("4400000001"), draft_to("4400000002"))
    house.accept_all(A)
    assert {house.state(id_) for id_ in ids} == {State.ACCEPTED}
    assert [one.state for one in house.parked()] == [State.ACCEPTED] * 2


def test_a_part_that_failed_is_not_accepted() -> None:
    house = house_of(policy=OutletPolicy(final="accepted"))
    (id_,) = house.admit(draft_to("4400000002"))
    house.outlets[A].take_back()
    house.settle(A, Sent(id_, "u", 0, 2), Failed(id_, 11, 1, 2))
    house.commit()
    assert house.state(id_) is State.REJECTED


def test_the_end_comes_after_a_time() -> None:
    house = house_of(policy=OutletPolicy(final="after", final_after_s=60))
    ids = house.admit(draft_to("4400000001"), draft_to("4400000001"))
    names = house.accept_all(A)
    receive(house, names[:1])  # it may send receipts nevertheless
    house.advance(59)
    house.commit()
    assert house.state(ids[1]) is State.ENROUTE
    house.advance(2)
    house.commit()
    assert [house.state(id_) for id_ in ids] == [State.DELIVERED, State.ACCEPTED]
    assert len(house.parked()) == 2


def test_the_time_runs_on_over_a_restart() -> None:
    house = house_of(policy=OutletPolicy(final="after", final_after_s=60))
    (id_,) = house.admit(draft_to("4400000001"))
    house.accept_all(A)
    house.restart()
    house.dispatch.policies = {A: OutletPolicy(final="after", final_after_s=60)}
    house.advance(61)
    house.commit()
    assert house.state(id_) is State.ACCEPTED


def test_with_another_policy_after_a_restart_it_is_not_sent_again() -> None:
    house = house_of(policy=OutletPolicy(final="after", final_after_s=60))
    (id_,) = house.admit(draft_to("4400000001"))
    house.accept_all(A)
    house.restart()
    house.advance(61)
    house.commit()
    assert house.state(id_) is State.ENROUTE
    assert not house.outlets[A].in_hand


def test_no_end_is_told_by_a_network_that_never_tells() -> None:
    house = house_of(policy=OutletPolicy(final="never"))
    (id_,) = house.admit(draft_to("4400000001", expires_ms=house.now_ms + 60_000))
    house.accept_all(A)
    house.advance(61)
    house.commit()
    assert house.state(id_) is State.ENROUTE
    house.advance(3600)
    house.advance(3600)
    house.commit()
    assert house.state(id_) is State.UNKNOWN
    assert not house.parked()


# --- in doubt ---------------------------------------------------------------------------------


def attempt(house: House, ids: Sequence[MessageId], parts: int = 1) -> None:
    done: list[bool] = []
    attempts = [(id_, parts) for id_ in ids]
    house.doubt.attempting_nowait(A, attempts, lambda: done.append(True))
    assert not done
    house.commit()
    assert done


def test_what_is_in_doubt_is_held_and_counted() -> None:
    house = house_of()
    ids = house.admit(*(draft_to("4400000001") for _ in range(3)))
    attempt(house, ids)
    house.outlets[A].take_back()
    house.settle(A, Sent(ids[0], "u"), Held(ids[1], 8), TryLater(ids[2], 8))
    house.commit()
    assert [house.state(id_) for id_ in ids] == [State.ENROUTE, State.HELD, State.QUEUED]
    assert house.dispatch.holding.counts() == {A: 1}
    house.advance(60)
    assert [id_ for id_, _, _ in house.outlets[A].in_hand] == ids[2:]


@pytest.mark.parametrize("resend", [True, False])
def test_after_a_crash_attempts_are_held_until_people_decide(resend: bool) -> None:
    house = house_of()
    ids = house.admit(*(draft_to("4400000001") for _ in range(3)))
    attempt(house, ids[:2])
    house.restart()
    assert [id_ for id_, _, _ in house.outlets[A].in_hand] == ids[2:]
    assert house.dispatch.holding.counts() == {A: 2}
    assert house.doubt.release(A, resend=resend) == 2
    house.commit()
    assert house.dispatch.holding.counts() == {}
    assert house.doubt.release(A, resend=resend) == 0
    if resend:
        assert sorted(id_ for id_, _, _ in house.outlets[A].in_hand) == ids
    else:
        assert [house.state(id_) for id_ in ids[:2]] == [State.UNDELIVERABLE] * 2
        assert heard(house) == ids[:2]


def test_parts_that_were_answered_before_the_crash_are_in_no_doubt() -> None:
    house = house_of()
    (id_,) = house.admit(draft_to("4400000003"))
    attempt(house, [id_], parts=3)
    house.outlets[A].take_back(1)
    house.settle(A, Sent(id_, "u0", 0, 3))
    house.commit()
    house.restart()
    assert house.progress(id_).parts == bytes((State.ENROUTE, State.HELD, State.HELD))
    receive(house, ["u0"])
    house.doubt.release(A, resend=True)
    assert [part for _, part, _ in house.outlets[A].in_hand] == [1, 2]
    house.settle(A, *(Sent(id_, f"u{part}", part, 3) for part in (1, 2)))
    house.commit()
    receive(house, ["u1", "u2"])
    assert house.state(id_) is State.DELIVERED


@pytest.mark.parametrize("resend", [True, False])
def test_a_part_in_doubt_holds_those_that_could_come_again(resend: bool) -> None:
    """Another network might part the text otherwise, and send what this one has already."""
    house = House(rules=(Rule(outlets=("a", "b")),))
    (id_,) = house.admit(draft_to("4400000003"))
    house.outlets[A].take_back()
    house.settle(A, Sent(id_, "u0", 0, 3), Held(id_, 8, 1, 3), TryLater(id_, 8, 2, 3))
    house.commit()
    assert house.state(id_) is State.HELD
    assert house.dispatch.holding.counts() == {A: 1}
    assert not house.outlets[B].taken
    house.advance(60)
    house.restart()
    assert house.dispatch.holding.counts() == {A: 1}
    assert house.doubt.release(A, resend=resend) == 1
    house.commit()
    if resend:
        assert [part for _, part, _ in house.outlets[A].in_hand] == [1, 2]
    else:
        receive(house, ["u0"])
        assert house.state(id_) is State.UNDELIVERABLE
        assert heard(house) == [id_]


def notice(house: House, name: str) -> list[int]:
    answers: list[int] = []
    told = UpstreamReceipt(A, name, State.ENROUTE, is_notice=True)
    house.receipts.receipts_nowait([told], answers.extend)
    return answers


@pytest.mark.parametrize("restarts", [False, True])
def test_an_early_notification_is_passed_on_when_the_response_comes(restarts: bool) -> None:
    house = house_of()
    house.admit(draft_to("4400000001", registered_delivery=0x11))
    answers = notice(house, "u")
    assert not answers, "answered before it is on disk"
    house.commit()
    assert answers == [0]
    assert house.receipts.early == 1
    assert notice(house, "u") == []
    house.commit()
    assert (house.receipts.early, house.receipts.duplicates) == (1, 1)
    if restarts:
        house.restart()
    ours = len(house.parked())
    accept(house, ["u"])
    notices = house.parked()[ours:]
    assert {told(one)[2] for one in notices} == {"ENROUTE"}
    assert len(notices) == 2, "the first attempt, and what the carrier said"
    assert (house.receipts.early, house.parked(early_mailbox(A))) == (0, [])


@pytest.mark.parametrize("in_one_commit", [False, True])
def test_an_early_end_takes_the_place_of_an_early_notification(in_one_commit: bool) -> None:
    house = house_of()
    (id_,) = house.admit(draft_to("4400000001", registered_delivery=0x11))
    notice(house, "u")
    if not in_one_commit:
        house.commit()
    receive(house, ["u"])
    assert len(house.parked(early_mailbox(A))) == 1
    notice(house, "u")
    house.commit()
    assert len(house.parked(early_mailbox(A))) == 1, "the end is not forgotten for it"
    accept(house, ["u"])
    assert house.state(id_) is State.DELIVERED
    assert (house.receipts.early, house.parked(early_mailbox(A))) == (0, [])


def test_parts_that_a_carrier_calls_by_one_id_end_by_one_receipt() -> None:
    house = house_of()
    (id_,) = house.admit(draft_to("4400000003"))
    house.outlets[A].take_back()
    house.settle(A, *(Sent(id_, name, part, 3) for part, name in enumerate(("u", "v", "u"))))
    house.commit()
    receive(house, ["u"])
    assert house.progress(id_).parts == bytes((State.DELIVERED, State.ENROUTE, State.DELIVERED))
    receive(house, ["v"])
    assert house.state(id_) is State.DELIVERED
    assert house.receipts.duplicates == 0


def test_what_nobody_decides_on_ends_with_its_validity() -> None:
    house = house_of()
    (id_,) = house.admit(draft_to("4400000001", expires_ms=house.now_ms + 60_000))
    attempt(house, [id_])
    house.outlets[A].take_back()
    house.settle(A, Held(id_, 8))
    house.commit()
    for _ in range(3):
        house.advance(400)
        house.commit()
    assert house.state(id_) is State.EXPIRED
    assert len(house.dispatch.holding) == 0


def test_no_state_is_forgotten() -> None:
    assert set(State) == FINAL | LIVE
    assert aggregate(bytes((State.HELD, State.ENROUTE))) is State.HELD
    assert aggregate(bytes((State.HELD, State.QUEUED))) is State.ENROUTE
    assert OutletName("a") == A
