"""Every kind of connector: its settings, and how they become a service.

*In*: `[outlets.NAME]`. *Out*: settings, and the outlet built from them.
*Never*: what a service means by anything; `services/` knows.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs

from bridges.connectors.connector import Connector
from bridges.connectors.custom import CustomConfig, CustomSender
from bridges.connectors.sender import HttpSender
from bridges.connectors.service import Service
from bridges.connectors.services.aql import AqlV1, AqlV2
from bridges.connectors.services.clickatell_classic import ClickatellClassic
from bridges.connectors.services.clickatell_platform import ClickatellPlatform
from bridges.connectors.services.ovh_http2sms import OvhHttp2Sms
from bridges.connectors.services.ovh_rest import OvhRest
from bridges.connectors.services.template import Template
from bridges.connectors.services.twilio import Twilio
from bridges.connectors.settings import ConnectorConfig, check_url
from bridges.connectors.template_settings import TemplateConfig
from bridges.connectors.template_text import Fields, parse_fields, parse_text
from smsc.config_errors import Secret
from smsc.config_fields import about
from smsc.message import OutletName


def _required(config: Any, *names: str) -> None:
    """Refuse settings that lack what their api needs."""
    for name in names:
        value = getattr(config, name)
        if not (value.value if isinstance(value, Secret) else value):
            raise ValueError(f'{name}: required with api = "{config.api}", but missing')


_URL: Final = about("where the service is; by default where its documentation says")


@attrs.frozen(kw_only=True)
class ClickatellConfig(ConnectorConfig):
    """`kind = "clickatell"`."""

    api: Literal["platform", "one", "classic"] = attrs.field(
        default="platform",
        metadata=about("which interface: /messages, /v1/message, or the old one"),
    )
    url: str = attrs.field(default="", metadata=_URL)
    key: Secret = attrs.field(default=Secret(""), metadata=about("API key of the platform"))
    api_id: str = attrs.field(default="", metadata=about("api_id of the classic interface"))
    user: str = attrs.field(default="", metadata=about("user of the classic interface"))
    password: Secret = attrs.field(
        default=Secret(""), metadata=about("password of the classic interface")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        super().__attrs_post_init__()
        check_url(self.url, may_be_empty=True)
        if self.api == "classic":
            _required(self, "api_id", "user", "password")
        else:
            _required(self, "key")

    def service(self) -> Service:
        """The service that these settings speak to."""
        has_receipts = bool(self.receipts_path.value)
        if self.api == "classic":
            return ClickatellClassic(
                self.url or "https://api.clickatell.com",
                self.api_id,
                self.user,
                self.password.value,
                wants_receipts=has_receipts,
            )
        url = self.url or "https://platform.clickatell.com"
        return ClickatellPlatform(url, self.key.value, self.api, wants_receipts=has_receipts)


@attrs.frozen(kw_only=True)
class AqlConfig(ConnectorConfig):
    """`kind = "aql"`."""

    api: Literal["v1", "v2"] = attrs.field(
        default="v1", metadata=about("which interface; v2 tells of no receipts")
    )
    url: str = attrs.field(default="", metadata=_URL)
    username: str = attrs.field(default="", metadata=about("user name of v1"))
    password: Secret = attrs.field(default=Secret(""), metadata=about("password of v1"))
    token: Secret = attrs.field(default=Secret(""), metadata=about("token of v2"))

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        super().__attrs_post_init__()
        check_url(self.url, may_be_empty=True)
        if self.api == "v1":
            _required(self, "username", "password")
        else:
            _required(self, "token")
            if self.receipts_path.value:
                raise ValueError('receipts_path: api = "v2" documents no receipts')
        if self.poll_s:
            raise ValueError("poll_s: AQL cannot be asked what became of a message")

    def service(self) -> Service:
        """The service that these settings speak to."""
        if self.api == "v2":
            return AqlV2(self.url or "https://api.aql.com", self.token.value)
        return AqlV1(
            self.url or "https://gw.aql.com/sms/sms_gw.php",
            self.username,
            self.password.value,
            wants_receipts=bool(self.receipts_path.value),
        )


@attrs.frozen(kw_only=True)
class OvhConfig(ConnectorConfig):
    """`kind = "ovh"`."""

    api: Literal["rest", "http2sms"] = attrs.field(
        default="rest", metadata=about("which interface: signed REST, or the form")
    )
    url: str = attrs.field(default="", metadata=_URL)
    account: str = attrs.field(
        default="", metadata=about('the SMS account ("serviceName"), such as sms-xx11111-1')
    )
    application_key: Secret = attrs.field(
        default=Secret(""), metadata=about("of the REST interface")
    )
    application_secret: Secret = attrs.field(
        default=Secret(""), metadata=about("of the REST interface")
    )
    consumer_key: Secret = attrs.field(default=Secret(""), metadata=about("of the REST interface"))
    login: str = attrs.field(default="", metadata=about("user of http2sms"))
    password: Secret = attrs.field(default=Secret(""), metadata=about("password of http2sms"))
    stop_clause: bool = attrs.field(
        default=False,
        metadata=about("whether OVH adds its STOP clause, and sends by day only: for advertising"),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        super().__attrs_post_init__()
        check_url(self.url, may_be_empty=True)
        if self.api == "rest":
            _required(self, "account", "application_key", "application_secret", "consumer_key")
        else:
            _required(self, "account", "login", "password")
            if self.poll_s:
                raise ValueError(
                    'poll_s: api = "http2sms" cannot be asked what became of a message'
                )

    def service(self) -> Service:
        """The service that these settings speak to."""
        has_receipts = bool(self.receipts_path.value)
        if self.api == "rest":
            return OvhRest(
                self.url or "https://eu.api.ovh.com/1.0",
                self.account,
                self.application_key.value,
                self.application_secret.value,
                self.consumer_key.value,
                has_stop_clause=self.stop_clause,
                wants_receipts=has_receipts,
            )
        return OvhHttp2Sms(
            self.url or "https://www.ovh.com/cgi-bin/sms/http2sms.cgi",
            self.account,
            self.login,
            self.password.value,
            has_stop_clause=self.stop_clause,
            wants_receipts=has_receipts,
        )


@attrs.frozen(kw_only=True)
class TwilioConfig(ConnectorConfig):
    """`kind = "twilio"`."""

    url: str = attrs.field(default="https://api.twilio.com", metadata=_URL)
    account_sid: str = attrs.field(metadata=about("AC…", minimum=1))
    auth_token: Secret = attrs.field(
        metadata=about("token of the account; it also signs what Twilio sends us")
    )
    api_key: str = attrs.field(default="", metadata=about("SK…, to authenticate with instead"))
    api_secret: Secret = attrs.field(default=Secret(""), metadata=about("secret of api_key"))
    messaging_service: str = attrs.field(
        default="", metadata=about("MG…; it picks the sender unless `sender` is given")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        super().__attrs_post_init__()
        check_url(self.url)
        if bool(self.api_key) != bool(self.api_secret.value):
            raise ValueError("api_key and api_secret go together")

    def service(self) -> Service:
        """The service that these settings speak to."""
        return Twilio(
            self.url.rstrip("/"),
            self.account_sid,
            self.auth_token.value,
            self.api_key,
            self.api_secret.value,
            self.messaging_service,
            wants_receipts=bool(self.receipts_path.value),
        )


@attrs.frozen(kw_only=True)
class MpulseConfig(TemplateConfig):
    """`kind = "mpulse"`: a preset of `template`.

    Mpulse hands its protocol documents out with the contract; none is public. So the preset is a
    form post whose URL must be given, and whose names are to be put as the contract says.
    """

    form: Fields | None = attrs.field(
        factory=lambda: parse_fields(
            {
                "username": "{username}",
                "password": "{password}",
                "from": "{from}",
                "to": "{to}",
                "text": "{text}",
            }
        ),
        metadata=about("the body: form fields, named as your contract says", parse=parse_fields),
    )
    url: Any = attrs.field(
        metadata=about(
            "where messages go; Mpulse names it in your contract",
            parse=lambda value: parse_text(value, "url"),
        )
    )


CONFIGS: Final[Mapping[str, type[Any]]] = {
    "clickatell": ClickatellConfig,
    "aql": AqlConfig,
    "ovh": OvhConfig,
    "twilio": TwilioConfig,
    "template": TemplateConfig,
    "mpulse": MpulseConfig,
    "custom": CustomConfig,
}
"""Settings of each kind."""


def build(kind: str) -> Callable[[OutletName, Any, Any], Connector]:
    """What makes an outlet of the kind from its name, settings and the log."""

    def made(name: OutletName, config: Any, log: Any) -> Connector:
        if isinstance(config, CustomConfig):
            custom = CustomSender(name, config, log)
            return Connector(name, kind, config, custom, config.dress, log=log)
        service = Template(config) if isinstance(config, TemplateConfig) else config.service()
        dress = attrs.evolve(
            config.dress,
            in_parts=service.long_text == "parts",
            takes_octets=service.takes_octets,
        )
        return Connector(name, kind, config, HttpSender(service, config), dress, log=log)

    return made
