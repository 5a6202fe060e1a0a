"""OVH's two interfaces against fakes written from its guides."""

import pytest

from bridges.connectors.service import (
    NOT_YET,
    Called,
    Declined,
    Rejected,
    Report,
    Request,
    Response,
    Taken,
    Unclear,
)
from bridges.connectors.services.ovh_http2sms import OvhHttp2Sms
from bridges.connectors.services.ovh_rest import OvhRest
from smsc.message import State
from tests.fakes.services.ovh import AK, AS, CK, SERVICE, FakeHttp2Sms, FakeRest
from tests.fakes.services.play import NOW_S, call, exchange, play, say
from tests.fakes.services.sms import sms_of
from tests.fakes.services.web import Say

BASE = "https://ovh.example"


def rest(secret: str = AS, *, stop: bool = False) -> OvhRest:
    return OvhRest(f"{BASE}/1.0", SERVICE, AK, secret, CK, has_stop_clause=stop)


def form(password: str = "pw", *, stop: bool = False) -> OvhHttp2Sms:
    return OvhHttp2Sms(f"{BASE}/cgi", SERVICE, "user", password, has_stop_clause=stop)


def test_the_signature_is_that_of_the_documentation() -> None:
    """The fake makes it anew from what it sees; here its parts stand as fixed text."""
    service = OvhRest("https://eu.api.ovh.com/1.0", SERVICE, "AK", "AS", "CK")
    assert service.prepared(Response(200, {}, b"1790000100"), 1_790_000_000.0) is None
    request = service.balance(1_790_000_000.0)
    assert isinstance(request, Request)
    assert request.url == "https://eu.api.ovh.com/1.0/sms/sms-xx11111-1"
    headers = dict(request.headers)
    assert headers["X-Ovh-Timestamp"] == "1790000100"
    # echo -n 'AS+CK+GET+https://eu.api.ovh.com/1.0/sms/sms-xx11111-1++1790000100' | sha1sum
    assert headers["X-Ovh-Signature"] == "$1$209bc566808ed02e5d08073f7fb3adb7173dbf9d"


def test_a_job_is_signed_by_ovhs_own_clock() -> None:
    fake = FakeRest(BASE)
    service = rest()
    assert play(service, fake, sms_of()) == Taken("26929925")
    assert fake.taken == [
        {
            "receivers": ["+41791234567"],
            "message": "Hello",
            "charset": "UTF-8",
            "coding": "7bit",
            "noStopClause": True,
            "priority": "high",
            "tag": "7",
            "sender": "Shop",
        }
    ]
    play(service, fake, sms_of())
    assert fake.times_asked == 1


def test_unicode_flash_validity_and_no_sender() -> None:
    fake = FakeRest(BASE)
    play(rest(stop=True), fake, sms_of("ы", is_flash=True, sender="", validity_s=3600))
    one = fake.taken[0]
    assert one["coding"] == "8bit"
    assert one["class"] == "flash"
    assert one["senderForResponse"] is True
    assert one["noStopClause"] is False
    assert one["validityPeriod"] == 60
    assert "sender" not in one


def test_an_invalid_receiver_is_permanent() -> None:
    verdict = play(rest(), FakeRest(BASE, invalid=True), sms_of())
    assert isinstance(verdict, Declined)
    assert verdict.class_ == "permanent"


@pytest.mark.parametrize(
    ("status", "why", "class_"),
    [
        (400, "Bad message", "permanent"),
        (401, "You must login first", "configuration"),
        (403, "This call has not been granted", "configuration"),
        (404, "Got an invalid (or empty) URL", "configuration"),
        (429, "Too many requests", "throttled"),
        (500, "Internal", "retryable"),
    ],
)
def test_rest_errors(status: int, why: str, class_: str) -> None:
    verdict = play(rest(), FakeRest(BASE, status=status, why=why), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code, verdict.why) == (class_, str(status), why)


def test_a_clock_that_went_wrong_is_asked_for_again() -> None:
    fake, service = FakeRest(BASE), rest()
    play(service, fake, sms_of())
    fake.clock += 3600
    verdict = play(service, fake, sms_of())
    assert isinstance(verdict, Declined)
    assert verdict.class_ == "retryable"
    assert isinstance(play(service, fake, sms_of()), Taken)
    assert fake.times_asked == 2


def test_a_wrong_secret_ends_as_a_matter_for_people() -> None:
    fake, service = FakeRest(BASE), rest("wrong")
    first, second = play(service, fake, sms_of()), play(service, fake, sms_of())
    assert isinstance(first, Declined)
    assert isinstance(second, Declined)
    assert first.class_ == "retryable"
    assert second.class_ in {"permanent", "configuration"}


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"ids":[]}'])
def test_a_malformed_success_leaves_it_open(answer: bytes) -> None:
    assert isinstance(say(rest(), sms_of(), Say(200, answer)), Unclear)


PTTS = [
    (1, State.ENROUTE, 0),
    (3, State.ENROUTE, 0),
    (4, State.DELIVERED, 0),
    (5, State.UNDELIVERABLE, 5),
    (74, State.UNDELIVERABLE, 74),
    (6, State.UNKNOWN, 6),
    (8, State.EXPIRED, 8),
    (21, State.EXPIRED, 21),
    (39, State.UNDELIVERABLE, 39),
    (28, State.REJECTED, 28),
    (202, State.REJECTED, 202),
]


@pytest.mark.parametrize(("ptt", "state", "error"), PTTS)
def test_ends_by_asking(ptt: int, state: State, error: int) -> None:
    fake = FakeRest(BASE, outgoing={"9": {"id": 9, "ptt": ptt, "deliveryReceipt": 1}})
    service = rest()
    play(service, fake, sms_of())
    answer = exchange(fake, service.poll("9", NOW_S))
    assert service.polled("9", answer) == Report("9", state, error)


def test_what_has_not_left_yet_has_no_end() -> None:
    fake, service = FakeRest(BASE), rest()
    play(service, fake, sms_of())
    assert service.polled("9", exchange(fake, service.poll("9", NOW_S))) is NOT_YET


@pytest.mark.parametrize(("ptt", "state", "error"), PTTS)
@pytest.mark.parametrize("service", [rest(), form()])
def test_ends_by_callback(
    service: OvhRest | OvhHttp2Sms, ptt: int, state: State, error: int
) -> None:
    query = f"id=9&ptt={ptt}&date=20260921120000&description=1&descriptionDlr=x"
    told = service.called(call(f"https://gw.example/r?{query}"))
    assert isinstance(told, Called)
    assert told.reports == (Report("9", state, error),)


@pytest.mark.parametrize(
    ("description", "state"),
    [
        (0, State.ENROUTE),
        (1, State.DELIVERED),
        (2, State.UNDELIVERABLE),
        (4, State.ENROUTE),
        (8, State.ENROUTE),
        (16, State.REJECTED),
    ],
)
def test_without_a_ptt_the_description_counts(description: int, state: State) -> None:
    told = form().called(call(f"https://gw.example/r?id=9&description={description}"))
    assert isinstance(told, Called)
    assert told.reports[0].state is state


@pytest.mark.parametrize("query", ["", "id=9", "ptt=4"])
def test_a_malformed_callback_is_refused(query: str) -> None:
    assert isinstance(form().called(call(f"https://gw.example/r?{query}")), Rejected)


def test_the_balance() -> None:
    fake, service = FakeRest(BASE), rest()
    play(service, fake, sms_of())
    assert service.balance_left(exchange(fake, service.balance(NOW_S))) == 1987.5


def test_the_form() -> None:
    fake = FakeHttp2Sms()
    assert play(form(), fake, sms_of("a\nb")) == Taken("10861")
    assert fake.taken == [
        {
            "account": SERVICE,
            "login": "user",
            "password": "pw",
            "from": "Shop",
            "to": "0041791234567",
            "message": "a\rb",
            "smsCoding": "1",
            "tag": "7",
            "contentType": "application/json",
            "noStop": "1",
        }
    ]


def test_the_form_with_unicode_flash_stop_and_no_sender() -> None:
    fake = FakeHttp2Sms()
    play(form(stop=True), fake, sms_of("ы", is_flash=True, sender=""))
    one = fake.taken[0]
    assert (one["smsCoding"], one["class"], one["senderForResponse"]) == ("2", "0", "1")
    assert "noStop" not in one


@pytest.mark.parametrize(
    ("status", "class_"),
    [(201, "permanent"), (202, "permanent"), (241, "sender"), (401, "configuration")],
)
def test_the_forms_errors(status: int, class_: str) -> None:
    verdict = play(form(), FakeHttp2Sms(status, "Reason"), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code, verdict.why) == (class_, str(status), "Reason")


def test_the_forms_wrong_login_is_configuration() -> None:
    verdict = play(form("no"), FakeHttp2Sms(), sms_of())
    assert isinstance(verdict, Declined)
    assert verdict.class_ == "configuration"


def test_the_forms_text_answers_are_understood_too() -> None:
    assert say(form(), sms_of(), Say(200, b"OK\n1987\n10867690\n")) == Taken("10867690")
    assert say(form(), sms_of(), Say(200, b'{"status":100,"smsIds":["5"]}')) == Taken("5")
    verdict = say(form(), sms_of(), Say(200, b"KO\nno credit left"))
    assert isinstance(verdict, Declined)
    assert verdict.why == "no credit left"
    assert isinstance(say(form(), sms_of(), Say(200, b"<html>")), Unclear)
