"""Who is bound, by account and kind."""

from typing import Any

import pytest

from pdu.status import Status
from smsc.bindings import Bindings
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import AuthRefused
from smsc.directory.passwords import StoredPassword
from smsc.message import AccountId

DEMO, ONE = AccountId("demo"), AccountId("one")


def account(**settings: Any) -> AccountConfig:
    return AccountConfig(password=StoredPassword("x"), **settings)


def test_bindings_count_by_account_and_kind() -> None:
    bindings, a, b = Bindings(), object(), object()
    bindings.add(DEMO, a, "transmitter")
    bindings.add(DEMO, b, "receiver")
    bindings.add(ONE, a, "transmitter")
    assert dict(bindings) == {"demo": 2, "one": 1}
    assert len(bindings) == 3
    assert [bindings.count(DEMO, kind) for kind in ("transmitter", "transceiver")] == [1, 0]
    assert (bindings.can_receive(DEMO), bindings.can_receive(ONE)) == (True, False)
    bindings.remove(DEMO, b)
    bindings.remove(DEMO, b)
    bindings.remove(ONE, a)
    assert dict(bindings) == {"demo": 1}
    assert not bindings.can_receive(DEMO)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"max_binds": 3}, None),
        ({"max_binds": 0}, None),
        ({"max_binds": 2}, "account demo has its 2 binds already"),
        ({"max_transceivers": 2}, None),
        ({"max_transceivers": 1}, "account demo has its 1 binds as transceiver already"),
        ({"max_transmitters": 1, "max_receivers": 1}, None),
        ({"bind_types": ("transceiver",)}, None),
        ({"bind_types": ("transmitter",)}, "account demo may not bind as transceiver"),
    ],
)
def test_one_bind_more(settings: dict[str, Any], why: str | None) -> None:
    bindings = Bindings()
    bindings.add(DEMO, object(), "transceiver")
    bindings.add(DEMO, object(), "receiver")
    refusal = bindings.refusal(DEMO, account(**settings), "transceiver")
    assert refusal == (None if why is None else AuthRefused(Status.ESME_RBINDFAIL, why))
