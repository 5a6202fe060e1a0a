"""Settings of the playSMS dialect.

*In*: `[dialects.playsms]`. *Out*: `PlaysmsConfig`. *Never*: behaviour.
"""

import attrs

from bridges.http.dialects import settings
from bridges.http.dialects.base import MAX_PARTS
from smsc.config_accounts import parse_region
from smsc.config_fields import about


@attrs.frozen(kw_only=True)
class PlaysmsConfig:
    """`[dialects.playsms]`."""

    path: str = settings.path("/index.php")
    region: str = attrs.field(
        default="",
        metadata=about(
            'country that national numbers are of, like "CH"; none = as the account says',
            parse=parse_region,
        ),
    )
    disabled: tuple[str, ...] = attrs.field(
        default=(), metadata=about("accounts that may not use web services (ERR 105)")
    )
    max_receivers: int = attrs.field(
        default=1000,
        metadata=about("receivers of one request, members of groups counted", minimum=1),
    )
    max_parts: int = attrs.field(
        default=10, metadata=about("parts that a text may have", minimum=1, maximum=MAX_PARTS)
    )
    max_rows: int = attrs.field(default=1000, metadata=about("rows of one list", minimum=1))
    credit_class: str = attrs.field(
        default="",
        metadata=about("class of credit that is shown and moved; none = all together are shown"),
    )
    new_credit: int = attrs.field(
        default=0, metadata=about("credit that an account made by accountadd opens with", minimum=0)
    )
    unlimited: int = attrs.field(
        default=999_999, metadata=about("credit shown for accounts without a limit", minimum=0)
    )
    outlet: str = attrs.field(
        default="",
        metadata=about("outlet that injected messages come from, where smsc names none of ours"),
    )
    login_location: str = attrs.field(
        default="",
        metadata=about("where ws_login redirects to; none = our own page about the account"),
    )
    body_octets: int = settings.body_octets()

    @property
    def opening(self) -> object:
        """What an account made by accountadd opens with, as its settings write it."""
        return {self.credit_class: self.new_credit} if self.credit_class else self.new_credit
