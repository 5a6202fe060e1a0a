"""`[mail]`: the mail server by which messages are sent on to people's e-mail.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults. *Never*: behaviour, but for checks of the values.
"""

import re
import ssl
from pathlib import Path
from typing import Final, Literal

import attrs

from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import about

_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}\Z)"
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
"""One plain address: nothing in it means anything in a header or an SMTP command."""


def is_address(text: str) -> bool:
    """Can mail be sent to it?"""
    return _ADDRESS.fullmatch(text) is not None


def parse_address(value: object) -> str:
    """Read one address, without a name before it."""
    if isinstance(value, str) and is_address(value):
        return value
    raise SettingError(f'expected an address like "sms@example.org", found {found(value)}')


def parse_host(value: object) -> str:
    """Read where the server is: a name or an address, without a port."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,253}|[0-9A-Fa-f:.]{2,45}", value):
        return value
    raise SettingError(f'expected a host like "mail.example.org", found {found(value)}')


def parse_ca_file(value: object) -> Path:
    """Read where certificates are; they must be there."""
    if not isinstance(value, str) or not value:
        raise SettingError(f'expected a file like "ca.pem", found {found(value)}')
    try:
        ssl.create_default_context(cafile=value)
    except OSError as error:  # ssl.SSLError is one
        is_read = isinstance(error, ssl.SSLError)
        why = "it holds no certificate" if is_read else error.strerror
        raise SettingError(f"cannot take certificates from {value!r}: {why}") from None
    return Path(value)


@attrs.frozen(kw_only=True)
class MailConfig:
    """`[mail]`: without this section nothing is sent by e-mail."""

    host: str = attrs.field(metadata=about("where the mail server is", parse=parse_host))
    port: int = attrs.field(default=587, metadata=about("its TCP port", minimum=1, maximum=65_535))
    security: Literal["starttls", "tls", "none"] = attrs.field(
        default="starttls",
        metadata=about("TLS after a greeting, from the start (mostly port 465), or not at all"),
    )
    ca_file: Path | None = attrs.field(
        default=None,
        metadata=about(
            "certificates that the server's is checked against; else those of the system",
            parse=parse_ca_file,
        ),
    )
    user: str = attrs.field(default="", metadata=about("who logs in; nobody without one"))
    password: Secret = attrs.field(
        factory=lambda: Secret(""), metadata=about("the password of user")
    )
    sender: str = attrs.field(
        metadata=about("the address that mails come from", parse=parse_address)
    )
    timeout_s: float = attrs.field(
        default=30.0,
        metadata=about("how long each answer of the server may take", minimum=0.1, maximum=600),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot work."""
        if bool(self.user) != bool(self.password.value):
            raise ValueError("expected user and password, or neither of them")
        if not (self.user + self.password.value).isascii():
            raise ValueError("expected user and password in ASCII")

    @property
    def domain(self) -> str:
        """That of the sender: by it the gateway names itself, and its mails."""
        return self.sender.rpartition("@")[2]
