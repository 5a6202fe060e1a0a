"""The same submission again: the id of the first one, and one message."""

from typing import Any

import pytest

from pdu.tlvs import Tag, pack_tlv
from smsc.flow import duplicates as room
from smsc.message import AccountId, Draft
from smsc.ports import Admitted, Refused
from tests.flow.house import DEMO, House, body_to

OTHER = AccountId("other")


def draft(
    umr: int | None = 7, to: str = "4179000001", account: AccountId = DEMO, **fields: Any
) -> Draft:
    """A submission with a user_message_reference."""
    reference = fields.pop("reference", None)
    tlvs = fields.pop("tlvs", b"")
    if umr is not None:
        tlvs += pack_tlv(Tag.USER_MESSAGE_REFERENCE, umr.to_bytes(2, "big"))
    return Draft(account, "smpp", body_to(to, **fields) + tlvs, reference=reference)


def house(duplicates_s: float = 60.0) -> House:
    """A house whose demo account asks for it."""
    return House(duplicates_s=duplicates_s)


def stored(home: House) -> int:
    """Messages on disk."""
    return home.store.counts()["message"]


class TestTheSame:
    def test_again_within_the_period(self) -> None:
        home = house()
        (first,) = home.admit(draft())
        home.advance(59)
        assert home.admit(draft()) == [first]
        assert (stored(home), home.duplicates.found) == (1, 1)
        assert len(home.outlets["a"].taken) == 1  # type: ignore[index]

    def test_in_one_read(self) -> None:
        home = house()
        first, again, other = home.admit(draft(), draft(), draft(8))
        assert first == again != other
        assert stored(home) == 2

    def test_what_a_client_may_change_without_making_another_message_of_it(self) -> None:
        home = house()
        (first,) = home.admit(draft())
        assert home.admit(draft(registered_delivery=0, validity_period="000001000000000R")) == [
            first
        ]

    def test_a_reference_of_http_is_as_good(self) -> None:
        home = house()
        (first,) = home.admit(draft(None, reference="order-1"))
        assert home.admit(draft(None, reference="order-1")) == [first]
        assert home.admit(draft(None, reference="order-2")) != [first]

    def test_after_a_restart(self) -> None:
        home = house()
        (first,) = home.admit(draft())
        home.restart()
        assert home.admit(draft()) == [first]
        home.advance(61)
        home.commit()
        home.restart()
        assert len(home.duplicates) == 0
        assert home.admit(draft()) != [first]


class TestAnother:
    @pytest.mark.parametrize(
        "changed",
        [
            {"umr": 8},
            {"to": "4179000002"},
            {"short_message": b"hullo"},
            {"data_coding": 3},
            {"account": OTHER},
            {"tlvs": pack_tlv(Tag.SAR_SEGMENT_SEQNUM, b"\2")},
        ],
    )
    def test_message(self, changed: dict[str, Any]) -> None:
        home = house()
        (first,) = home.admit(draft())
        assert home.admit(draft(**changed)) != [first]
        assert stored(home) == 2

    def test_without_a_reference_nobody_can_tell(self) -> None:
        home = house()
        assert len(set(home.admit(draft(None), draft(None)))) == 2

    def test_account_that_did_not_ask_for_it(self) -> None:
        home = house(0.0)
        assert len(set(home.admit(draft(), draft()))) == 2
        assert not home.duplicates
        assert home.store.counts()["idempotency"] == 0

    def test_time_after_the_period(self) -> None:
        home = house()
        (first,) = home.admit(draft())
        home.advance(60)
        (second,) = home.admit(draft())
        assert second != first
        home.advance(30)
        assert home.admit(draft()) == [second]


class TestTheDisk:
    def test_the_second_is_not_answered_before_the_first_is_stored(self) -> None:
        home = house()
        first = home.submit(draft())
        second = home.submit(draft())
        assert second == []
        home.store.retry()
        assert second == first == [Admitted(first[0].id)]  # type: ignore[union-attr]

    def test_the_first_is_refused_for_lack_of_room_and_so_is_the_second(self) -> None:
        home = house()
        first, second = home.submit(draft(), draft()), home.submit(draft())
        home.store.why_full = "full"
        home.store.retry()
        assert [type(one) for one in first + second] == [Refused] * 3
        home.store.why_full = None
        (id_,) = home.admit(draft())
        assert home.admit(draft()) == [id_]

    def test_what_a_crash_took_is_a_new_message(self) -> None:
        home = house()
        home.submit(draft())
        home.restart(committed=0)
        (id_,) = home.admit(draft())
        assert home.admit(draft()) == [id_]
        assert stored(home) == 1


class TestBounds:
    def test_what_is_too_old_is_forgotten_on_disk_too(self) -> None:
        home = house()
        home.admit(*map(draft, range(100)))
        assert (len(home.duplicates), home.store.counts()["idempotency"]) == (100, 100)
        home.advance(61)
        home.commit()
        assert (len(home.duplicates), home.store.counts()["idempotency"]) == (0, 0)

    def test_traffic_alone_forgets_the_old(self) -> None:
        home = house()
        home.admit(*map(draft, range(100)))
        home.now_ms += 61_000
        home.admit(*map(draft, range(100, 140)))
        assert len(home.duplicates) == home.store.counts()["idempotency"] == 40

    def test_too_many_push_out_the_oldest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "LIMIT", 10)
        home = house()
        ids = home.admit(*map(draft, range(25)))
        assert len(home.duplicates) == home.store.counts()["idempotency"] == 10
        assert home.admit(draft(24)) == ids[24:]
        assert home.admit(draft(0)) != ids[:1]

    def test_an_account_that_no_longer_asks_leaves_nothing(self) -> None:
        home = house()
        home.admit(draft())
        home._demo = home._account
        home.restart()
        home.commit()
        assert home.store.counts()["idempotency"] == 0
