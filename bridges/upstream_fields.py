"""How single settings of an upstream link are checked, before any bind needs them.

*In*: values from the file. *Out*: what is meant, or one sentence why it does not do.
*Never*: a secret in a sentence.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import attrs

from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import HostPort

DEFAULT_PORT: Final = 2775
_LONGEST_PASSWORD: Final = 8


def fits_the_wire(_: object, field: "attrs.Attribute[Any]", value: str | Secret) -> None:
    """Refuse what no PDU can carry, when the file is checked instead of at each message."""
    text = value.value if isinstance(value, Secret) else value
    if any(ord(letter) > 0xFF or letter == "\0" for letter in text):
        told = "" if isinstance(value, Secret) else f", found {found(text)}"
        raise ValueError(f"expected characters that SMPP can carry (Latin-1){told}", field)
    if isinstance(value, Secret) and len(text) > _LONGEST_PASSWORD:
        why = f"expected at most {_LONGEST_PASSWORD} characters (SMPP 3.4 §5.2.2)"
        raise ValueError(f"{why}, found {len(text)}", field)


def is_a_host(_: object, field: "attrs.Attribute[Any]", value: str) -> None:
    """Refuse what no resolver takes; "" stands for none."""
    if value and not _is_host(value):
        why = f'expected a host name or an address as in "smsc.example", found {found(value)}'
        raise ValueError(why, field)


def parse_hosts(value: object) -> tuple[HostPort, ...]:
    """Read "host:port" or "host", several times."""
    if not isinstance(value, list) or not value:
        raise SettingError(f"expected a list of hosts, found {found(value)}")
    hosts = []
    for one in value:
        text = one if isinstance(one, str) else ""
        match = re.fullmatch(r"(?:\[([^]\s]+)\]|([^:\s]+))(?::(\d{1,5}))?", text)
        host = match and (match[1] or match[2])
        if not match or not host or not _is_host(host) or int(match[3] or 1) not in range(1, 65536):
            raise SettingError(
                f'expected "host:port" as in "smsc.example:2775", found {found(one)}'
            )
        hosts.append(HostPort(host, int(match[3] or DEFAULT_PORT)))
    return tuple(hosts)


def parse_source(value: object) -> str:
    """Read an address of ours; "" stands for any."""
    try:
        return str(ip_address(str(value))) if value else ""
    except ValueError:
        raise SettingError(f'expected an address like "192.0.2.7", found {found(value)}') from None


def why_unreadable(path: Path) -> str:
    """Why a file cannot be read, as a sentence; "" if it can."""
    try:
        with path.open("rb"):
            return ""
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = error.strerror if isinstance(error, OSError) else error
        return f"cannot read {found(str(path))}: {why}; expected a file in PEM form"


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return True
    try:
        return not re.search(r"[\s:\0]", host) and bool(host.encode("idna"))
    except UnicodeError:  # an empty label, or one of more than 63 octets
        return False
