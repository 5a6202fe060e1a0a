"""May this message be sent, and when does it live."""

from decimal import Decimal
from typing import Any

import pytest

from pdu.codec import peek_submit_sm
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.config_accounts import AccountConfig
from smsc.directory.passwords import StoredPassword
from smsc.flow.admission import DEFAULT_VALIDITY_MS, MAX_VALIDITY_MS, Lifetime, admit
from smsc.ports import Refused
from tests.flow.house import START_MS, draft_to

HOUR_MS = 3600 * 1000


def ttl(seconds: int) -> tuple[int, bytes]:
    """The TLV qos_time_to_live."""
    return int(Tag.QOS_TIME_TO_LIVE), seconds.to_bytes(4, "big")


def judge(
    senders: tuple[str, ...] = ("*",), destinations: tuple[str, ...] = (), **wishes: Any
) -> Lifetime | Refused:
    """Admission of one draft."""
    account = AccountConfig(
        password=StoredPassword("x"),
        senders=senders,
        destinations=destinations,
        credit={"": Decimal(1)},
        networks=(),
    )
    draft = draft_to(wishes.pop("to", "4179000001"), **wishes)
    return admit(account, draft, peek_submit_sm(draft.body), START_MS)


@pytest.mark.parametrize(
    ("wishes", "status"),
    [
        ({"to": ""}, Status.ESME_RINVDSTADR),
        ({"senders": ("Bank", "4179*")}, Status.ESME_RINVSRCADR),
        ({"destinations": ("41", "4930"), "to": "4940"}, Status.ESME_RINVDSTADR),
        ({"tlvs": ((0x0424, b"two texts"),)}, Status.ESME_RINVMSGLEN),
        ({"tlvs": ((0x0421, b"\2"),)}, Status.ESME_RINVTLVVAL),
        (
            {"schedule_delivery_time": "000000010000000R", "tlvs": (ttl(3600),)},
            Status.ESME_RINVEXPIRY,
        ),
        # What was valid for a relative time of nothing has ended before it began.
        ({"validity_period": "000000000000000R"}, Status.ESME_RINVEXPIRY),
        ({"validity_period": "200101000000000+"}, Status.ESME_RINVEXPIRY),
        ({"expires_ms": START_MS}, Status.ESME_RINVEXPIRY),
        ({"due_ms": START_MS + HOUR_MS, "expires_ms": START_MS + HOUR_MS}, Status.ESME_RINVEXPIRY),
        ({"validity_period": "269999000000000+"}, Status.ESME_RINVEXPIRY),
        ({"schedule_delivery_time": "269999000000000+"}, Status.ESME_RINVSCHED),
    ],
)
def test_what_is_refused_and_how(wishes: dict[str, Any], status: Status) -> None:
    verdict = judge(**wishes)
    assert isinstance(verdict, Refused)
    assert verdict.status == status
    assert len(verdict.why) > 10


@pytest.mark.parametrize(
    ("wishes", "due_ms", "expires_ms"),
    [
        ({}, 0, START_MS + DEFAULT_VALIDITY_MS),
        ({"expires_ms": START_MS + 1}, 0, START_MS + 1),
        ({"expires_ms": START_MS + 2 * MAX_VALIDITY_MS}, 0, START_MS + MAX_VALIDITY_MS),
        ({"due_ms": START_MS}, 0, START_MS + DEFAULT_VALIDITY_MS),
        (
            {"due_ms": START_MS + HOUR_MS},
            START_MS + HOUR_MS,
            START_MS + HOUR_MS + DEFAULT_VALIDITY_MS,
        ),
        ({"validity_period": "000000010000000R"}, 0, START_MS + HOUR_MS),
        (
            {
                "schedule_delivery_time": "000000010000000R",
                "validity_period": "000000020000000R",
            },
            START_MS + HOUR_MS,
            START_MS + 2 * HOUR_MS,
        ),
        # qos_time_to_live overrides validity_period.
        (
            {"validity_period": "000000010000000R", "tlvs": (ttl(90),)},
            0,
            START_MS + 90_000,
        ),
        ({"tlvs": (ttl(90), ttl(5))}, 0, START_MS + 90_000),
        ({"tlvs": (ttl(0),)}, 0, START_MS + 1000),
        # The PDU's own times win over those beside it.
        (
            {"validity_period": "000000010000000R", "expires_ms": START_MS + 5},
            0,
            START_MS + HOUR_MS,
        ),
    ],
)
def test_when_it_lives(wishes: dict[str, Any], due_ms: int, expires_ms: int) -> None:
    lifetime = judge(**wishes)
    assert isinstance(lifetime, Lifetime)
    assert (lifetime.due_ms, lifetime.expires_ms) == (due_ms, expires_ms)


@pytest.mark.parametrize("to", ["4179", "+4179", "493012"])
def test_destinations_are_prefixes_with_or_without_a_plus(to: str) -> None:
    assert isinstance(judge(destinations=("41", "4930"), to=to), Lifetime)


@pytest.mark.parametrize(
    ("wishes", "validity_s", "lives_ms"),
    [
        ({}, 0, DEFAULT_VALIDITY_MS),
        ({}, 60, 60_000),
        ({}, 48 * 3600, 48 * HOUR_MS),
        ({}, 30 * 24 * 3600, MAX_VALIDITY_MS),
        # No longer than the client wants it.
        ({"validity_period": "000000010000000R"}, 2 * 3600, HOUR_MS),
        ({"validity_period": "000000010000000R"}, 60, 60_000),
        ({"due_ms": START_MS + HOUR_MS}, 48 * 3600, 49 * HOUR_MS),
    ],
)
def test_a_rule_sets_how_long_it_lives(
    wishes: dict[str, Any], validity_s: float, lives_ms: int
) -> None:
    lifetime = judge(**wishes)
    assert isinstance(lifetime, Lifetime)
    assert lifetime.lasting(validity_s, START_MS).expires_ms == START_MS + lives_ms


@pytest.mark.parametrize("senders", [("*",), ("Shop",), ("Sh*",), ("Bank", "Shop")])
def test_senders_of_the_account(senders: tuple[str, ...]) -> None:
    assert isinstance(judge(senders), Lifetime)
