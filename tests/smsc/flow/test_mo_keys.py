"""A message that its network brings again is the same message."""

from smsc.flow import mo_keys
from smsc.flow.mo_keys import KEEP_MS
from smsc.message import OutletName
from smsc.ports import MobileOriginated
from tests.flow.house import A, B, House
from tests.smsc.flow.test_inbound import mo


def bring(house: House, key: str, outlet: OutletName = A) -> list[int]:
    answers: list[int] = []
    message = MobileOriginated(outlet, mo(), key)
    house.inbound.mobile_originated_nowait([message], answers.extend)
    house.commit()
    return answers


def test_the_same_key_again_is_taken_and_not_delivered() -> None:
    house = House()
    assert bring(house, "SM1") == bring(house, "SM1") == [0]
    assert len(house.parked()) == 1


def test_other_keys_other_networks_and_no_key_are_other_messages() -> None:
    house = House()
    for key, outlet in (("SM1", A), ("SM2", A), ("SM1", B), ("", A), ("", A)):
        bring(house, key, outlet)
    assert len(house.parked()) == 5


def test_what_was_refused_is_not_known() -> None:
    house = House()
    answers: list[int] = []
    for body in (mo("999"), mo()):
        message = MobileOriginated(A, body, "SM1")
        house.inbound.mobile_originated_nowait([message], answers.extend)
        house.commit()
    assert answers[0] != 0
    assert answers[1] == 0
    assert len(house.parked()) == 1


def test_after_a_day_it_may_be_another_one() -> None:
    house = House()
    bring(house, "SM1")
    house.now_ms += KEEP_MS
    bring(house, "SM1")
    assert len(house.parked()) == 2
    assert len(house.inbound.keys) == 1


def test_a_restart_remembers_and_duplicates_of_clients_leave_them_alone() -> None:
    house = House()
    bring(house, "SM1")
    house.restart()
    house.inbound.keys.restore(house.store.remembered())
    bring(house, "SM1")
    assert len(house.parked()) == 1


def test_two_at_once_are_one() -> None:
    house = House()
    answers: list[int] = []
    messages = [MobileOriginated(A, mo(), "SM1")] * 2
    house.inbound.mobile_originated_nowait(messages, answers.extend)
    assert answers == []
    house.commit()
    assert answers == [0, 0]
    assert len(house.parked()) == 1


def test_memory_is_bounded() -> None:
    house = House()
    limit, mo_keys.LIMIT = mo_keys.LIMIT, 3  # type: ignore[misc]
    try:
        for number in range(10):
            bring(house, f"SM{number}")
    finally:
        mo_keys.LIMIT = limit  # type: ignore[misc]
    assert len(house.inbound.keys) == 3
    assert len(list(house.store.remembered())) == 3
