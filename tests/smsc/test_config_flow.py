"""What the file may say of retries, limits and duplicates, and what is said when it does not."""

from typing import Any

import attrs
import pytest

from smsc.config import Config, load
from smsc.config_flow import OutletFlowConfig, RetryConfig
from smsc.config_report import describe


@attrs.frozen
class Plain:
    speed: int = 1


def read(text: str) -> Any:
    """The configuration, or its errors without their meanings."""
    config = load(text, {"plain": Plain}, {})
    if isinstance(config, Config):
        return config
    return [f"{error.key}: {error.why}" for error in config]


OUTLET = '[outlets.o]\nkind = "plain"\n'
RETRY = OUTLET + "[outlets.o.retry]\n"


def test_every_kind_of_outlet_has_them() -> None:
    config = read(
        OUTLET
        + """
        speed = 3
        per_destination = 5
        [outlets.o.retry]
        schedule_s = [1, 2.5]
        throttled_s = 3
        jitter = 0
        max_attempts = 9
        [outlets.o.retry.classes]
        ESME_RSUBMITFAIL = "permanent"
        0x00000412 = "retryable"
        1031 = "throttled"
        """
    )
    outlet = config.outlets["o"]
    assert outlet.settings == Plain(3)
    assert outlet.flow == OutletFlowConfig(
        per_destination=5,
        retry=RetryConfig(
            schedule_s=(1.0, 2.5),
            throttled_s=3.0,
            jitter=0.0,
            max_attempts=9,
            classes={0x45: "permanent", 0x412: "retryable", 1031: "throttled"},
        ),
    )
    assert "per_destination=5" in describe(config)
    assert "max_attempts=9" in describe(config)


def test_by_default_nothing_is_limited_but_by_the_validity() -> None:
    flow = read(OUTLET).outlets["o"].flow
    assert (flow.per_destination, flow.retry.max_attempts, flow.retry.classes) == (0, 0, {})
    assert flow.retry.schedule_s == (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
    assert "retry" not in describe(read(OUTLET))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            OUTLET + "per_destination = -1",
            "outlets.o.per_destination: expected a whole number of at least 0, found -1",
        ),
        (
            RETRY + "schedule_s = []",
            "outlets.o.retry.schedule_s: expected a list of seconds, found a list",
        ),
        (
            RETRY + "schedule_s = [0]",
            "outlets.o.retry.schedule_s: expected a number from 0.01 to 604800, found 0",
        ),
        (
            RETRY + "jitter = 2",
            "outlets.o.retry.jitter: expected a number from 0 to 1, found 2",
        ),
        (
            RETRY + 'classes = { ESME_RFOO = "permanent" }',
            (
                'outlets.o.retry.classes: expected an error like "ESME_RSUBMITFAIL" or "0x00000045", '
                "found 'ESME_RFOO'"
            ),
        ),
        (
            RETRY + 'classes = { ESME_ROK = "permanent" }',
            (
                'outlets.o.retry.classes: expected an error like "ESME_RSUBMITFAIL" or "0x00000045", '
                "found 'ESME_ROK'"
            ),
        ),
        (
            RETRY + 'classes = { 0x45 = "fatal" }',
            (
                "outlets.o.retry.classes: 0x45: expected one of 'permanent', 'retryable', "
                "'throttled', found 'fatal'"
            ),
        ),
        (
            RETRY + "classes = 3",
            "outlets.o.retry.classes: expected a table, found 3",
        ),
        (
            '[accounts.a]\npassword = "p"\nduplicates_s = -1',
            "accounts.a.duplicates_s: expected a number from 0 to 86400, found -1",
        ),
    ],
)
def test_what_does_not_fit_is_named(text: str, error: str) -> None:
    assert read(text) == [error]


def test_an_unknown_key_is_named() -> None:
    (error,) = read(RETRY + "shedule_s = [1]")
    assert error.startswith("outlets.o.retry.shedule_s: unknown key")
