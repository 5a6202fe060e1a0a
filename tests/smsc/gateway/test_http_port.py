"""What HTTP clients may ask of a whole gateway about accounts and messages of the network."""

from decimal import Decimal
from functools import partial

import pytest

from pdu.status import Status, Vendor, status_class, status_meaning, status_name
from smsc.directory.accounts import Account
from smsc.message import AccountId
from smsc.ports import NewProfile, Profile, Refused
from tests.fakes.house import SIMULATOR, StartGateway

TOML = (
    """
[accounts.demo]
password = "demo"
networks = ["127.0.0.0/8"]
[[mo_routes]]
to = ["12345"]
account = "demo"
"""
    + SIMULATOR
)
DEMO = AccountId("demo")
HERE = "127.0.0.1"


def test_who_is_calling(start_gateway: StartGateway) -> None:
    running = start_gateway(TOML)
    http = running.gateway.http
    token = running.await_(lambda: http.directory.new_token(DEMO, DEMO))
    assert isinstance(token, str)
    for ask, expected in (
        (lambda: http.authenticate("demo", "demo", HERE), 0),
        (lambda: http.authenticate_token("demo", token, HERE), 0),
        (lambda: http.authenticate("demo", "guess", HERE), Status.ESME_RINVPASWD),
        (lambda: http.authenticate_token("demo", "guess", HERE), Status.ESME_RINVPASWD),
        (lambda: http.authenticate("nobody", "demo", HERE), Status.ESME_RINVSYSID),
        (lambda: http.authenticate_token("demo", token, "10.0.0.1"), Status.ESME_RPROHIBITED),
    ):
        verdict = running.await_(ask)
        assert (verdict.status if isinstance(verdict, Refused) else 0) == expected
        assert isinstance(verdict, Account) == (not expected)
    running.await_(lambda: http.directory.ban(DEMO, DEMO, banned=True))
    for ask in (
        lambda: http.authenticate("demo", "demo", HERE),
        lambda: http.authenticate_token("demo", token, HERE),
    ):
        verdict = running.await_(ask)
        assert isinstance(verdict, Refused)
        assert verdict.status == Vendor.SMSC_ACCOUNT_CLOSED


@pytest.mark.parametrize("text", ["hello", "x" * 500])
def test_a_message_as_if_a_network_had_brought_it(start_gateway: StartGateway, text: str) -> None:
    running = start_gateway(TOML)
    http = running.gateway.http
    assert running.await_(lambda: http.inject_mo("sim", "41791234567", "12345", text)) is None
    assert running.gateway.inbound.received == (1 if len(text) < 160 else 4)
    for outlet, to, words, status in (
        ("nowhere", "12345", "x", Vendor.SMSC_UNKNOWN),
        ("sim", "777", "x", Status.ESME_RX_R_APPN),
        ("sim", "12345", "x" * 153 * 256, Status.ESME_RINVMSGLEN),
    ):
        refused = running.await_(partial(http.inject_mo, outlet, "4179", to, words))
        assert isinstance(refused, Refused)
        assert refused.status == status


def test_an_account_made_at_run_time_has_its_credit_at_once(start_gateway: StartGateway) -> None:
    running = start_gateway(TOML)
    http = running.gateway.http
    new = NewProfile(account=AccountId("shop"), password="shop", settings={"credit": 2.5})
    assert isinstance(running.await_(lambda: http.directory.add(new, DEMO)), Profile)
    balances = running.call(lambda: http.credits.balances(AccountId("shop")))
    assert balances == {"": Decimal("2.5")}


@pytest.mark.parametrize("status", Vendor)
def test_our_own_statuses_have_names_and_meanings(status: Vendor) -> None:
    assert 0x400 <= status <= 0x4FF
    assert status_name(status) == status.name
    assert status_meaning(status) != status_meaning(0x4EE)
    expected = "retryable" if status is Vendor.SMSC_UNAVAILABLE else "permanent"
    assert status_class(status) == expected
