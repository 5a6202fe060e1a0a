"""Credit: what messages cost, what is given back, and that the ledger always proves the balance."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pdu.status import Status, Vendor
from routing.actions import Do
from routing.prefix_csv import Rate
from routing.prefixes import PrefixTable
from routing.rule import Rule
from smsc.directory.ledger import Proof
from smsc.directory.tariff import Tariff
from smsc.flow.rewriting import Change
from smsc.message import AccountId, MessageId, OutletName, State
from smsc.ports import Admitted, Control, Failed, Refused, Sent
from smsc.store import keys
from tests.flow.house import DEMO, RULES, A, B, Disk, FakeOutlet, House, draft_to

OTHER = AccountId("other")
TARIFF = Tariff(
    PrefixTable(
        [("41", Rate("domestic", Decimal("0.05"))), ("49", Rate("foreign", Decimal("0.2")))]
    ),
    Rate("", Decimal(1)),
)


def amounts(**by_class: str) -> dict[str, Decimal]:
    return {name.removeprefix("_"): Decimal(amount) for name, amount in by_class.items()}


def house_with(credit: str | Mapping[str, Decimal], **wishes: Any) -> House:
    opening = {"": Decimal(credit)} if isinstance(credit, str) else credit
    house = House(credit=opening, **wishes)
    house.commit()
    return house


def left(house: House, account: AccountId = DEMO) -> Any:
    balances = house.credits.balances(account)
    assert balances is not None
    return balances[""]


def lines(house: House, account: AccountId = DEMO) -> list[tuple[str, str, int]]:
    """Amount, reason and parts of each line of the ledger on disk, oldest first."""
    rows = house.store.control(Control.LEDGER, *keys.owned_range(account), 1000)
    return [(fields[2], fields[5], fields[8]) for _, fields in rows]


def prove(disk: Disk) -> Mapping[tuple[str, str], Any]:
    """The balances that the ledger on disk comes to, after it was seen to prove the marks."""
    read = Disk(disk.tables, 0)
    proof = Proof(read.control(Control.BALANCE, b"", keys.END, 1000))
    for key, fields in read.control(Control.LEDGER, b"", keys.END, 100_000):
        assert proof.add(key, fields)
    assert proof.disproved() == []
    return proof.balances


class TestDebit:
    def test_a_message_costs_its_parts_and_one_line_tells_of_the_whole_batch(self) -> None:
        house = house_with("10")
        first, *_, last = house.admit(draft_to(), draft_to(), draft_to(short_message=b"x" * 161))
        assert left(house) == 6
        assert lines(house) == [("10", "opening balance", 0), ("-4", "messages", 4)]
        (line, _) = house.store.control(Control.LEDGER, *keys.owned_range(DEMO), 10, backwards=True)
        assert line[1][4:8] == (DEMO, "messages", first, last)

    def test_what_the_credit_does_not_pay_for_is_refused_and_not_stored(self) -> None:
        house = house_with("2")
        answers = house.submit(*[draft_to()] * 4)
        house.commit()
        assert [isinstance(one, Admitted) for one in answers] == [True, True, False, False]
        refused = answers[-1]
        assert isinstance(refused, Refused)
        assert refused.status == Vendor.SMSC_NO_CREDIT
        assert refused.why == "the credit of account demo is 0; this message costs 1"
        assert (left(house), house.store.counts()["message"]) == (0, 2)

    def test_accounts_without_limit_pay_nothing_and_have_no_ledger(self) -> None:
        house = House()
        house.admit(draft_to())
        assert house.credits.balances(DEMO) is None
        assert house.store.counts()["ledger"] == 0
        assert not house.credits.payers
        message = house.store.message(house.admit(draft_to())[0])
        assert message is not None
        assert message.charge is None

    def test_beside_an_account_that_pays_others_do_not(self) -> None:
        house = house_with("1")
        house.admit(draft_to(), *[draft_to(account=OTHER)] * 5)
        assert (left(house), house.credits.balances(OTHER)) == (0, None)

    def test_refusals_for_other_reasons_cost_nothing(self) -> None:
        house = house_with("5")
        house.submit(draft_to(""), draft_to("99"), draft_to(validity_period="x" * 16))
        house.commit()
        assert left(house) == 5

    def test_a_commit_that_finds_no_room_gives_back(self) -> None:
        house = house_with("5")
        answers = house.submit(draft_to(), draft_to())
        house.store.why_full = "full"
        assert left(house) == 3
        house.store.retry()
        assert [one.status for one in answers if isinstance(one, Refused)] == [
            Status.ESME_RMSGQFUL
        ] * 2
        assert left(house) == 5
        house.store.why_full = None
        house.admit(draft_to())
        assert (left(house), prove(house.store)["demo", ""]) == (4, 4)

    def test_a_duplicate_is_paid_for_once(self) -> None:
        house = house_with("5", duplicates_s=60.0)
        house.admit(draft_to(reference="r1"), draft_to(reference="r1"))
        house.admit(draft_to(reference="r1"))
        assert left(house) == 4

    def test_ten_thousand_submissions_at_once_spend_what_is_there_and_no_more(self) -> None:
        house = house_with("7321")
        answers = [house.submit(draft_to("430000001")) for _ in range(10_000)]
        house.commit()
        admitted = [one for many in answers for one in many if isinstance(one, Admitted)]
        assert (len(admitted), left(house)) == (7321, 0)
        assert prove(house.store)["demo", ""] == 0
        assert house.store.counts()["message"] == 7321


class TestPrices:
    def test_each_class_has_its_balance_and_its_price(self) -> None:
        house = house_with(amounts(domestic="0.1", foreign="0.3"), tariff=TARIFF)
        house.admit(draft_to("4179000001"), draft_to("+4179000001"), draft_to("490000001"))
        assert house.credits.balances(DEMO) == amounts(domestic="0", foreign="0.1")

    @pytest.mark.parametrize("to", ["4179000001", "490000001", "440000001"])
    def test_a_class_without_money_is_refused_though_others_have_some(self, to: str) -> None:
        house = house_with(amounts(domestic="0.04", foreign="0.19"), tariff=TARIFF)
        (answer,) = house.submit(draft_to(to))
        assert isinstance(answer, Refused)
        assert answer.status == Vendor.SMSC_NO_CREDIT

    def test_one_balance_pays_for_every_class(self) -> None:
        house = house_with("1.3", tariff=TARIFF)
        house.admit(draft_to("4179000001"), draft_to("490000001"), draft_to("440000001"))
        assert left(house) == Decimal("0.05")

    def test_sums_are_exact(self) -> None:
        house = house_with("1", tariff=Tariff(None, Rate("", Decimal("0.1"))))
        house.admit(*[draft_to()] * 10)
        assert left(house) == 0

    def test_a_rule_says_another_price(self) -> None:
        rules = (Rule(to=("41",), do=Do(charge=Decimal("0.3")), outlets=("a",)), *RULES)
        house = house_with("2", rules=rules)
        house.admit(draft_to("4179000001", short_message=b"x" * 161), draft_to("430000001"))
        assert left(house) == Decimal("0.4")

    def test_what_a_rule_drops_or_gives_away_costs_nothing(self) -> None:
        rules = (
            Rule(to=("41",), do=Do(drop=True)),
            Rule(to=("43",), do=Do(charge=Decimal(0)), outlets=("a",)),
        )
        house = house_with("2", rules=rules)
        house.admit(draft_to("4179000001"), draft_to("430000001"))
        assert left(house) == 2
        assert len(lines(house)) == 1

    def test_the_price_is_told_beforehand(self) -> None:
        house = house_with(amounts(_="5", foreign="5"), tariff=TARIFF)
        for account, to, expected in (
            (DEMO, "41791", ("", "0.05")),
            (DEMO, "+49170", ("foreign", "0.2")),
            (OTHER, "41791", ("domestic", "0.05")),
            (OTHER, "1212", ("", "1")),
        ):
            price = house.credits.price(account, to, 3)
            assert (price.credit_class, str(price.unit)) == expected
            assert price.amount == 3 * Decimal(expected[1])


class TestSubusers:
    def test_they_spend_what_their_parent_has(self) -> None:
        house = house_with("2", parents={OTHER: DEMO})
        house.admit(draft_to(account=OTHER))
        assert (left(house), left(house, OTHER)) == (1, 1)
        assert [line[1] for line in lines(house)] == ["opening balance", "messages"]
        house.submit(draft_to(account=OTHER))
        (refused,) = house.submit(draft_to())
        assert isinstance(refused, Refused)
        house.commit()
        assert left(house) == 0

    async def test_their_ledger_is_what_they_moved(self) -> None:
        house = house_with("9", parents={OTHER: DEMO})
        house.admit(draft_to(account=OTHER))
        house.admit(draft_to())
        assert [one.by for one in await house.credits.movements(OTHER)] == ["other"]
        assert [one.by for one in await house.credits.movements(DEMO)] == [
            "demo",
            "other",
            "config",
        ]

    async def test_people_move_the_credit_of_the_parent(self) -> None:
        house = house_with("9", parents={OTHER: DEMO})
        refused = await house.credits.move(OTHER, "", Decimal(1), "admin", "gift")
        assert isinstance(refused, Refused)
        assert "demo" in refused.why


def failed(house: House, id_: MessageId, outlet: OutletName = A) -> None:
    """The network refuses the message for good."""
    house.outlets[outlet].take_back()
    house.settle(outlet, Failed(id_, int(Status.ESME_RINVDSTADR)))
    house.commit()


class TestRefund:
    @pytest.mark.parametrize(
        ("refund", "refused", "undelivered", "delivered", "cancelled"),
        [
            ("failed", 10, 10, 9, 10),
            ("refused", 10, 9, 9, 10),
            ("never", 9, 9, 9, 9),
        ],
    )
    def test_what_is_given_back(
        self, refund: Any, refused: int, undelivered: int, delivered: int, cancelled: int
    ) -> None:
        def one() -> tuple[House, MessageId]:
            house = house_with("10", refund=refund)
            (id_,) = house.admit(draft_to("440000001"))
            assert left(house) == 9
            return house, id_

        house, id_ = one()
        failed(house, id_)
        assert (left(house), house.state(id_)) == (refused, State.REJECTED)
        for state, expected in (
            (State.UNDELIVERABLE, undelivered),
            (State.EXPIRED, undelivered),
            (State.REJECTED, undelivered),
            (State.DELIVERED, delivered),
        ):
            house, _ = one()
            (upstream_id,) = house.accept_all(A)
            house.receipt(A, upstream_id, state=state)
            house.commit()
            assert (left(house), prove(house.store)["demo", ""]) == (expected, expected)
        house = house_with("10", refund=refund, outlets=[FakeOutlet(A, is_up=False)])
        (id_,) = house.admit(draft_to("440000001"))
        house.commands.cancel(DEMO, str(id_), "Shop", "", lambda _count: None)
        house.commit()
        assert (left(house), house.state(id_)) == (cancelled, State.DELETED)

    def test_a_refund_is_in_the_commit_of_the_final_state(self) -> None:
        house = house_with("10")
        (id_,) = house.admit(draft_to("440000001"))
        house.outlets[A].take_back()
        house.settle(A, Failed(id_, int(Status.ESME_RINVDSTADR)))
        assert house.store.unwritten == 1
        house.restart(committed=0)
        assert left(house) == 9
        failed(house, id_)
        house.restart()
        assert left(house) == 10

    def test_it_says_what_it_is_for(self) -> None:
        house = house_with("10", tariff=Tariff(None, Rate("", Decimal("0.5"))))
        (id_,) = house.admit(draft_to("440000001", short_message=b"x" * 161))
        message = house.store.message(id_)
        assert message is not None
        assert message.charge == ("demo", "", "1.0")
        failed(house, id_)
        assert lines(house)[1:] == [("-1.0", "messages", 2), ("1.0", "refund", 0)]

    def test_a_message_that_is_replaced_is_paid_for_anew(self) -> None:
        house = house_with("3", outlets=[FakeOutlet(A, is_up=False)])
        (id_,) = house.admit(draft_to("440000001"))

        def replace(parts: int) -> Refused | None:
            answers: list[Refused | None] = []
            change = Change(message_payload=b"x" * (153 * parts if parts > 1 else 9))
            house.commands.replace(DEMO, str(id_), "Shop", change, answers.append)
            house.commit()
            return answers[0]

        assert (replace(3), left(house)) == (None, 0)
        refused = replace(4)
        assert isinstance(refused, Refused)
        assert (refused.status, left(house)) == (Vendor.SMSC_NO_CREDIT, 0)
        assert (replace(2), left(house)) == (None, 1)
        house.commands.cancel(DEMO, str(id_), "Shop", "", lambda _count: None)
        house.commit()
        assert (left(house), prove(house.store)["demo", ""]) == (3, 3)


class TestPeople:
    async def test_moves_are_exact_bounded_and_signed(self) -> None:
        house = house_with("1")
        house.store._soon = lambda call: call()  # the disk answers at once
        for amount, expected in (("0.1", "1.1"), ("-1.05", "0.05"), ("-0.05", "0")):
            balance = await house.credits.move(DEMO, "", Decimal(amount), "admin", "why not")
            assert balance == Decimal(expected)
        for amount in ("-0.01", "0", "NaN", "Infinity", "1e16", "0.0000000001"):
            refused = await house.credits.move(DEMO, "", Decimal(amount), "admin", "x")
            assert isinstance(refused, Refused), amount
        newest, *_ = await house.credits.movements(DEMO, limit=1)
        assert (newest.by, newest.why, newest.balance) == ("admin", "why not", Decimal(0))

    async def test_a_class_may_be_new(self) -> None:
        house = house_with("1", tariff=TARIFF)
        house.store._soon = lambda call: call()
        assert await house.credits.move(DEMO, "domestic", Decimal(2), "admin", "x") == 2
        house.restart()
        assert house.credits.balances(DEMO) == amounts(_="1", domestic="2")

    async def test_accounts_without_limit_have_nothing_to_move(self) -> None:
        refused = await House().credits.move(DEMO, "", Decimal(1), "admin", "x")
        assert isinstance(refused, Refused)

    async def test_the_ledger_is_told_in_pages(self) -> None:
        house = house_with("100")
        for _ in range(5):
            house.admit(draft_to())
        first = await house.credits.movements(DEMO, limit=4)
        rest = await house.credits.movements(DEMO, below=first[-1].number)
        balances = [one.balance for one in (*first, *rest)]
        assert balances == [95, 96, 97, 98, 99, 100]


class TestStart:
    def test_what_an_account_opens_with_is_written_once(self) -> None:
        house = house_with("10")
        house.admit(draft_to())
        for _ in range(3):
            house.restart()
        assert left(house) == 9
        assert [line[1] for line in lines(house)] == ["opening balance", "messages"]

    def test_a_start_reads_the_ledger_behind_the_mark(self) -> None:
        house = house_with("10")
        house.admit(draft_to())
        house.credits.write_marks()
        house.admit(draft_to())
        house.restart()
        house.commit()
        assert left(house) == 8
        house.credits.write_marks()
        assert house.store.unwritten == 1
        house.commit()
        house.credits.write_marks()
        assert house.store.unwritten == 0

    def test_old_lines_go_and_the_balance_stays(self) -> None:
        house = house_with("10")
        house.admit(draft_to())
        house.advance(10)
        kept_from_ms = house.now_ms
        house.admit(draft_to())
        assert house.credits.forget_old(kept_from_ms) == 2
        house.commit()
        assert lines(house) == [("-1", "messages", 1)]
        assert prove(house.store)["demo", ""] == 8
        house.restart()
        assert left(house) == 8


class Bank(RuleBasedStateMachine):
    """Everything that moves credit, in any order, with crashes and a disk that fills up."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(
            credit={"": Decimal(30)},
            tariff=Tariff(PrefixTable([("41", Rate("", Decimal("0.7")))])),
            outlets=[FakeOutlet(A, window=4), FakeOutlet(B)],
        )
        self.house.commit()
        self.upstream: list[str] = []

    @rule(n=st.integers(1, 4), to=st.sampled_from(["440000001", "4179000001", "440000002"]))
    def submit(self, n: int, to: str) -> None:
        self.house.submit(*[draft_to(to)] * n)

    @rule(n=st.integers(1, 4), is_paid_behind=st.booleans())
    def submit_into_a_full_disk(self, n: int, is_paid_behind: bool) -> None:
        """What was handed in finds no room; refunds beside it wait for some."""
        self.house.submit(*[draft_to("440000001")] * n)
        if is_paid_behind:
            self.fail()
        was_full, self.house.store.why_full = self.house.store.why_full, "full"
        self.house.store.retry()
        self.house.store.why_full = was_full

    @rule()
    def commit(self) -> None:
        self.house.store.retry()

    @rule(is_full=st.booleans())
    def fill(self, is_full: bool) -> None:
        self.house.store.why_full = "full" if is_full else None

    @rule()
    def take(self) -> None:
        parts = self.house.outlets[A].take_back()
        self.house.settle(A, *(Sent(id_, f"{id_}.{part}", part, n) for id_, part, n in parts))
        self.upstream += [f"{id_}.{part}" for id_, part, _ in parts]

    @rule()
    def fail(self) -> None:
        parts = self.house.outlets[A].take_back(1)
        self.house.settle(A, *(Failed(id_, 11, part, n) for id_, part, n in parts))

    @precondition(lambda self: self.upstream)
    @rule(state=st.sampled_from([State.DELIVERED, State.UNDELIVERABLE]))
    def receipt(self, state: State) -> None:
        self.house.receipt(A, self.upstream.pop(), state=state)

    @rule()
    def marks(self) -> None:
        self.house.credits.write_marks()

    @rule(keep_ms=st.sampled_from([1, -5000]))
    def forget(self, keep_ms: int) -> None:
        self.house.credits.forget_old(self.house.now_ms + keep_ms)

    @rule()
    def time(self) -> None:
        self.house.advance(3)

    @rule(committed=st.integers(0, 5))
    def crash(self, committed: int) -> None:
        self.house.restart(committed=min(committed, self.house.store.unwritten))
        self.upstream.clear()
        balance = left(self.house)
        self.house.commit()
        if not self.house.store.why_full:
            # What is in memory after a start is what the disk proves, but for what it began with.
            assert balance == prove(self.house.store)["demo", ""]

    @invariant()
    def never_below_zero(self) -> None:
        assert left(self.house) >= 0

    @invariant()
    def the_disk_proves_itself(self) -> None:
        proved = prove(self.house.store)
        assert proved["demo", ""] >= 0
        if not self.house.store.unwritten:
            assert proved["demo", ""] == left(self.house)
            assert proved["demo", ""] == 30 - sum(self._unrefunded(), Decimal(0))

    def _unrefunded(self) -> list[Decimal]:
        """What the messages on disk cost that are not of those which nobody pays for."""
        free = {State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.DELETED}
        ids = [id_ for id_, one in self.house.on_disk().items() if one.state not in free]
        messages = self.house.store.messages(ids)
        return [Decimal(one.charge[2]) for one in messages if one is not None and one.charge]


TestBank = Bank.TestCase
TestBank.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
