"""AQL against fakes written from its pages."""

import pytest

from bridges.connectors.service import Called, Declined, Rejected, Report, Taken, Unclear
from bridges.connectors.services.aql import AqlV1, AqlV2
from bridges.connectors.sms import Dress
from smsc.message import State
from tests.fakes.services.aql import FakeV1, FakeV2
from tests.fakes.services.play import NOW_S, call, exchange, play, say
from tests.fakes.services.sms import sms_of
from tests.fakes.services.web import Say

V1 = AqlV1("https://gw.aql.example/sms/sms_gw.php", "bob", "pw")
V2 = AqlV2("https://api.aql.example", "tok")
CALLED = Dress(receipt_url="https://gw.example/receipts/abc")


def test_v1_names_no_id_so_our_reference_stands_in_the_receipt_url() -> None:
    fake = FakeV1()
    assert play(V1, fake, sms_of(dress=CALLED)) == Taken("7")
    assert fake.taken == [
        {
            "username": "bob",
            "password": "pw",
            "destination": "41791234567",
            "message": "Hello",
            "flash": "0",
            "allow_unicode": "0",
            "max_concat": "1",
            "originator": "Shop",
            "dlr_url": "https://gw.example/receipts/abc?ref=7&code=%code&dest=%dest",
        }
    ]


def test_v1_without_receipts_has_no_id() -> None:
    assert play(V1, FakeV1(), sms_of()) == Taken("")


def test_v1_unicode_flash_and_long_text() -> None:
    fake = FakeV1()
    play(V1, fake, sms_of("ы" * 80, is_flash=True, sender=""))
    one = fake.taken[0]
    assert (one["flash"], one["allow_unicode"], one["max_concat"]) == ("1", "1", "2")
    assert "originator" not in one


@pytest.mark.parametrize(
    ("code", "class_"),
    [
        ("1", "permanent"),
        ("2", "configuration"),
        ("3", "permanent"),
        ("4", "permanent"),
        ("5", "configuration"),
        ("9", "retryable"),
    ],
)
def test_v1_codes(code: str, class_: str) -> None:
    verdict = play(V1, FakeV1(code, "Reason"), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code, verdict.why) == (class_, code, "Reason")


def test_v1_wrong_password_is_configuration() -> None:
    verdict = play(AqlV1("https://x.example/", "bob", "no"), FakeV1(), sms_of())
    assert isinstance(verdict, Declined)
    assert verdict.class_ == "configuration"


@pytest.mark.parametrize("service", [V1, V2])
def test_a_malformed_success_leaves_it_open(service: AqlV1 | AqlV2) -> None:
    assert isinstance(say(service, sms_of(), Say(200, b"<html>")), Unclear)


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        ("1", State.DELIVERED, 0),
        ("2", State.UNDELIVERABLE, 2),
        ("4", State.ENROUTE, 0),
        ("8", State.ENROUTE, 0),
        ("16", State.REJECTED, 16),
    ],
)
def test_v1_receipts(code: str, state: State, error: int) -> None:
    told = V1.called(call(f"https://gw.example/r?ref=7&code={code}&dest=41791234567"))
    assert isinstance(told, Called)
    assert told.reports == (Report("7", state, error),)


@pytest.mark.parametrize("query", ["", "ref=7", "code=1", "ref=7&code=%25code", "ref=7&code=99"])
def test_v1_malformed_receipts_are_refused(query: str) -> None:
    assert isinstance(V1.called(call(f"https://gw.example/r?{query}")), Rejected)


def test_v2_sends_json_and_keeps_the_id() -> None:
    fake = FakeV2()
    assert play(V2, fake, sms_of("ы")) == Taken("m1")
    assert fake.taken == [{"destinations": ["41791234567"], "message": "ы", "originator": "Shop"}]


@pytest.mark.parametrize(
    ("status", "class_"),
    [(401, "configuration"), (422, "permanent"), (429, "throttled"), (500, "retryable")],
)
def test_v2_errors_go_by_their_status(status: int, class_: str) -> None:
    verdict = play(V2, FakeV2((status, "Reason")), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.why) == (class_, "Reason")


def test_v2_credit() -> None:
    assert V2.balance_left(exchange(FakeV2(), V2.balance(NOW_S))) == 77.0
    assert V1.balance(NOW_S) is None
