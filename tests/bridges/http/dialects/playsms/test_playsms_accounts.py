"""data_… parameters as fields of a profile, and amounts."""

from decimal import Decimal

import pytest

from bridges.http.dialects.playsms import accounts
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.parameters import Parameters
from smsc.ports import AccountStatus

CONFIG = PlaysmsConfig(new_credit=7)
NEW = {
    "data_status": "3", "data_username": "a", "data_password": "hunter2", "data_name": "A",
    "data_email": "a@b", "data_parent": "p", "data_datetime_timezone": "+0300",
    "data_language_module": "en_US",
}  # fmt: skip


def test_a_new_account() -> None:
    new = accounts.new_account(Parameters(NEW), CONFIG)
    assert new is not None
    assert (new.account, new.status, new.parent) == ("a", AccountStatus.USER, None)
    assert new.settings == {"credit": 7}
    classed = accounts.new_account(
        Parameters(NEW), PlaysmsConfig(new_credit=7, credit_class="home")
    )
    assert classed is not None
    assert classed.settings == {"credit": {"home": 7}}  # the class that is shown and added to
    assert new.profile["time_zone"] == "Etc/GMT-3"
    assert new.profile["language"] == "en_US"
    child = accounts.new_account(Parameters({**NEW, "data_status": "4"}), CONFIG)
    assert child is not None
    assert (child.status, child.parent) == (AccountStatus.SUBUSER, "p")
    assert accounts.new_account(Parameters({**NEW, "data_status": "5"}), CONFIG) is None


def test_configuration() -> None:
    asked = {
        "data_footer": "f", "data_language_module": "de", "data_sender": "Me",
        "data_fwd_to_inbox": "1", "data_fwd_to_email": "0", "data_fwd_to_mobile": "1",
        "datetime_timezone": "+0000", "data_local_length": "4", "data_replace_zero": "+41",
    }  # fmt: skip
    assert accounts.configuration(Parameters(asked)) == {
        "footer": "f", "language": "de", "sender": "Me", "forward_to_inbox": True,
        "forward_to_email": False, "forward_to_mobile": True, "time_zone": "UTC",
        "local_length": 4, "replace_zero": "+41",
    }  # fmt: skip
    assert accounts.configuration(Parameters({"data_city": "Juba"})) == {}
    assert accounts.preferences(Parameters({"data_city": "Juba", "data_footer": "f"})) == {
        "city": "Juba"
    }


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("5", Decimal(5)),
        ("0.000000001", Decimal("0.000000001")),
        ("0", None),
        ("0.0", None),
        ("-5", None),
        ("+5", None),
        ("1e3", None),
        (".5", None),
        ("0.0000000001", None),
        ("Infinity", None),
    ],
)
def test_amounts(text: str, amount: Decimal | None) -> None:
    assert accounts.amount(text) == amount


def test_balances() -> None:
    two = {"home": Decimal("5.50"), "abroad": Decimal(100)}
    assert accounts.balance_of(None, CONFIG) == "999999"
    assert accounts.balance_of(two, CONFIG) == "105.5"
    assert accounts.balance_of(two, PlaysmsConfig(credit_class="home")) == "5.5"
    assert accounts.balance_of(two, PlaysmsConfig(credit_class="none")) == "0"
    assert accounts.plain(Decimal("1E+2")) == "100"
