"""`[outlets.NAME]` with `kind = "smpp"`: what an upstream link is told.

*In*: the configuration file. *Out*: a frozen value. *Never*: behaviour.
"""

from pathlib import Path
from typing import Final, Literal

import attrs

from bridges.quirks import Quirks
from bridges.upstream_fields import (
    DEFAULT_PORT,
    fits_the_wire,
    is_a_host,
    parse_hosts,
    parse_source,
    why_unreadable,
)
from pdu.operations import V33, V34, V50
from smsc.config_errors import Secret
from smsc.config_fields import HostPort, about
from smsc.ports import OutletPolicy

_VERSIONS: Final = {"3.3": V33, "3.4": V34, "5.0": V50}


@attrs.frozen(kw_only=True)
class UpstreamConfig:
    """`[outlets.NAME]` with `kind = "smpp"`."""

    host: str = attrs.field(
        default="", validator=is_a_host, metadata=about("host name or address of the carrier")
    )
    port: int = attrs.field(
        default=DEFAULT_PORT, metadata=about("TCP port of host", minimum=1, maximum=65535)
    )
    hosts: tuple[HostPort, ...] = attrs.field(
        default=(),
        metadata=about('several hosts instead of host: ["a:2775", "b:2775"]', parse=parse_hosts),
    )
    spread: Literal["order", "share"] = attrs.field(
        default="order",
        metadata=about("order: the first host that answers; share: the binds in turn"),
    )
    source: str = attrs.field(
        default="", metadata=about("our address towards the carrier", parse=parse_source)
    )
    tls: bool = attrs.field(default=False, metadata=about("speak TLS from the first octet"))
    tls_verify: bool = attrs.field(
        default=True, metadata=about("check the carrier's certificate and its name")
    )
    tls_ca: Path | None = attrs.field(
        default=None, metadata=about("file of the authorities to trust; default: the system's")
    )
    tls_server_name: str = attrs.field(
        default="",
        validator=is_a_host,
        metadata=about("name that the certificate must have; default: the host"),
    )
    tls_cert: Path | None = attrs.field(
        default=None, metadata=about("file of our own certificate, if the carrier asks for one")
    )
    tls_key: Path | None = attrs.field(default=None, metadata=about("file of its key"))
    system_id: str = attrs.field(
        validator=fits_the_wire, metadata=about("who we are to the carrier", minimum=1, maximum=15)
    )
    password: Secret = attrs.field(
        default=Secret(""),
        validator=fits_the_wire,
        metadata=about("our password at the carrier"),
    )
    system_type: str = attrs.field(
        default="",
        validator=fits_the_wire,
        metadata=about("system_type of the bind", maximum=12),
    )
    version: Literal["3.3", "3.4", "5.0"] = attrs.field(
        default="3.4", metadata=about("version of SMPP to speak")
    )
    bind: Literal["transmitter", "receiver", "transceiver", "pair"] = attrs.field(
        default="transceiver",
        metadata=about("kind of the binds; pair: a transmitter and a receiver for each"),
    )
    binds: int = attrs.field(
        default=1, metadata=about("connections to keep bound, or pairs", minimum=1, maximum=64)
    )
    window: int = attrs.field(
        default=100,
        metadata=about("unanswered submit_sm for each bind", minimum=1, maximum=65535),
    )
    link_window: int = attrs.field(
        default=0,
        metadata=about("unanswered submit_sm of all binds together; 0 = no limit", minimum=0),
    )
    rate: float = attrs.field(
        default=0.0,
        metadata=about(
            "messages a second over all binds; 0 = as the carrier takes them", minimum=0
        ),
    )
    bind_rate: float = attrs.field(
        default=0.0, metadata=about("messages a second on each bind; 0 = unlimited", minimum=0)
    )
    enquire_link_s: float = attrs.field(
        default=30.0, metadata=about("silence until enquire_link, seconds", minimum=0.1)
    )
    response_timeout_s: float = attrs.field(
        default=60.0,
        metadata=about("time the carrier has to answer, seconds", minimum=0.1),
    )
    throttle_patience_s: float = attrs.field(
        default=60.0,
        metadata=about(
            "how long a message that the carrier was too busy for is kept here before another"
            " outlet may try, seconds",
            minimum=0,
        ),
    )
    reconnect_s: float = attrs.field(
        default=1.0,
        metadata=about(
            "first delay before another connection, seconds; doubles up to a minute",
            minimum=0.01,
            maximum=60,
        ),
    )
    ask_receipts: bool = attrs.field(
        default=True,
        metadata=about("ask for a receipt of each message, wanted by the client or not"),
    )
    ambiguous: Literal["resend", "hold"] = attrs.field(
        default="resend",
        metadata=about("what to do with messages whose answer never came"),
    )
    final: Literal["receipt", "accepted", "after", "never"] = attrs.field(
        default="receipt",
        metadata=about("what ends a message that the carrier took"),
    )
    final_after_s: float = attrs.field(
        default=3600.0, metadata=about('seconds until the end with final = "after"', minimum=1)
    )
    receipts_per_part: bool = attrs.field(
        default=False, metadata=about("one receipt for each part of a long message, not one in all")
    )
    quirks: Quirks = attrs.field(
        factory=Quirks, metadata=about("what the carrier does otherwise than others")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        if bool(self.host) == bool(self.hosts):
            raise ValueError("expected either host or hosts")
        if self.hosts and self.port != DEFAULT_PORT:
            why = f'expected no port beside hosts, found {self.port}; write hosts = ["host:port"]'
            raise _wrong("port", why)
        if self.version == "3.3":
            self._check_3_3()
        self._check_tls()

    def _check_3_3(self) -> None:
        if self.bind == "transceiver":
            why = 'expected "pair", "transmitter" or "receiver": SMPP 3.3 knows no "transceiver"'
            raise _wrong("bind", why)
        if self.quirks.long_text in {"sar", "payload"}:
            why = f'long_text: expected "udh" or "udh16", found "{self.quirks.long_text}"'
            raise _wrong("quirks", f"{why}: SMPP 3.3 knows no TLVs")
        if self.quirks.tlvs:
            tag = self.quirks.tlvs[0][0]
            raise _wrong(
                "quirks", f"tlvs: expected none, found 0x{tag:04X}: SMPP 3.3 knows no TLVs"
            )

    def _check_tls(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        files = ("tls_ca", "tls_cert", "tls_key")
        given = [name for name in (*files, "tls_server_name") if getattr(self, name)]
        if not self.tls_verify:
            given.append("tls_verify")
        if given and not self.tls:
            raise _wrong(given[0], f"expected tls = true beside {given[0]}, found false")
        for name in files:
            path: Path | None = getattr(self, name)
            why = path and why_unreadable(path)
            if why:
                raise _wrong(name, why)

    @property
    def interface_version(self) -> int:
        """`version` as a bind says it."""
        return _VERSIONS[self.version]

    @property
    def addresses(self) -> tuple[HostPort, ...]:
        """The hosts, however they were written."""
        return self.hosts or (HostPort(self.host, self.port),)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each connection to keep."""
        return (("transmitter", "receiver") if self.bind == "pair" else (self.bind,)) * self.binds

    @property
    def policy(self) -> OutletPolicy:
        """What the flow must know."""
        return OutletPolicy(
            final=self.final,
            final_after_s=self.final_after_s,
            receipts_per_part=self.receipts_per_part,
        )


def _wrong(name: str, why: str) -> ValueError:
    """For `smsc.config_errors`: the sentence, and the key that it is about."""
    return ValueError(why, getattr(attrs.fields(UpstreamConfig), name))
