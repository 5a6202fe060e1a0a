"""What `[outlets.NAME]` says of every kind of outlet: limits, and what follows an error.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults; durations are seconds, names say so.
*Never*: behaviour: `smsc.flow` has it.
"""

from collections.abc import Mapping
from typing import Literal

import attrs

from pdu.status import Status
from smsc.config_errors import SettingError, found
from smsc.config_fields import about, number

RetryClass = Literal["permanent", "retryable", "throttled"]
_RETRY_CLASSES: Mapping[str, RetryClass] = {
    "permanent": "permanent",
    "retryable": "retryable",
    "throttled": "throttled",
}


def parse_classes(value: object) -> Mapping[int, RetryClass]:
    """Read what statuses mean: names of the specification or numbers, to a class."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table, found {found(value)}")
    classes: dict[int, RetryClass] = {}
    for name, one in value.items():
        if one not in _RETRY_CLASSES:
            names = ", ".join(map(repr, _RETRY_CLASSES))
            raise SettingError(f"{name}: expected one of {names}, found {found(one)}")
        classes[_status(name)] = _RETRY_CLASSES[one]
    return classes


def _status(name: str) -> int:
    try:
        code = Status[name] if name in Status.__members__ else int(name, 0)
    except ValueError:
        code = 0
    if not 0 < code <= 0xFFFFFFFF:
        raise SettingError(
            f'expected an error like "ESME_RSUBMITFAIL" or "0x00000045", found {found(name)}'
        )
    return int(code)


def parse_schedule(value: object) -> tuple[float, ...]:
    """Read delays in seconds."""
    if not isinstance(value, list) or not value:
        raise SettingError(f"expected a list of seconds, found {found(value)}")
    return tuple(number(one, 0.01, 604_800) for one in value)


@attrs.frozen(kw_only=True)
class RetryConfig:
    """`[outlets.NAME.retry]`: what errors of the outlet mean, and when a message comes again."""

    schedule_s: tuple[float, ...] = attrs.field(
        default=(5.0, 15.0, 60.0, 300.0, 900.0, 1800.0),
        metadata=about(
            "delays after the first, second, … attempt, seconds; the last one repeats",
            parse=parse_schedule,
        ),
    )
    throttled_s: float = attrs.field(
        default=1.0,
        metadata=about(
            "delay after the network said that it is too busy, seconds", minimum=0.1, maximum=3600
        ),
    )
    jitter: float = attrs.field(
        default=0.2,
        metadata=about("share of each delay that is added by chance, 0 to 1", minimum=0, maximum=1),
    )
    max_attempts: int = attrs.field(
        default=0,
        metadata=about(
            "attempts after which a message is set aside; 0 = until its validity ends", minimum=0
        ),
    )
    classes: Mapping[int, RetryClass] = attrs.field(
        factory=dict,
        metadata=about(
            'what a command_status means here: "permanent", "retryable" or "throttled"',
            parse=parse_classes,
        ),
    )


@attrs.frozen(kw_only=True)
class OutletFlowConfig:
    """The keys of `[outlets.NAME]` that every kind of outlet has."""

    per_destination: int = attrs.field(
        default=0,
        metadata=about(
            "messages for one number in the outlet's hands at a time; 0 = unlimited", minimum=0
        ),
    )
    retry: RetryConfig = attrs.field(
        factory=RetryConfig, metadata=about("when a message comes again after an error")
    )
