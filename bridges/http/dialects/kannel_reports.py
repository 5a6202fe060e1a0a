"""What a Kannel request says of reports: the dlr-url, and what of its escapes is known already.

*In*: the fields of a request. *Out*: a URL for `Draft.callback_url`, or `Misformed`.
*Never*: I/O; what only a report knows: see `bridges.callbacks.kannel`.
"""

import urllib.parse
from collections.abc import Mapping

from bridges.http.dialects.base import check_callback_url
from bridges.http.dialects.kannel_coding import Misformed
from bridges.http.dialects.kannel_escapes import Value, fill, quoted
from bridges.http.dialects.kannel_meta import Groups
from bridges.http.dialects.kannel_request import Asked
from smsc.message import AccountId

_CHARSETS = ("UTF-8", "8-BIT", "UTF-16BE")
"""By `coding`."""


def parse_dlr_url(url: str) -> str | Misformed:
    """A dlr-url whose host is fixed; octets that no URL has are percent-encoded."""
    if not url:
        return ""
    safe = "".join(
        char if "!" <= char <= "~" else urllib.parse.quote(char).replace("%", "%%") for char in url
    )
    host = safe.partition("://")[2].partition("/")[0].partition("?")[0]
    if "%" in host or check_callback_url(safe) is not None:
        return Misformed("DLR-URL")
    return safe


def fill_in(
    dlr_url: str,
    asked: Asked,
    account: AccountId,
    numbers: Mapping[str, int | None],
    data_coding: int,
    meta: Groups,
) -> str | Misformed:
    """A checked dlr-url with the escapes that only the request can fill in; see `kannel_escapes`."""

    def number(name: str) -> str:
        value = numbers[name]
        return "" if value is None else str(value)

    coding = numbers["coding"]
    charset = asked.text("charset") or _CHARSETS[coding or 0]
    values: dict[str, Value] = {
        "n": quoted(account),
        "o": quoted(asked.text("account")),
        "B": quoted(asked.text("binfo")),
        "D": quoted(asked.fields.get("meta-data", b"")),
        "R": quoted(asked.text("dlr-url", "dlrurl")),
        "f": "",
        "c": number("coding") or "0",
        "m": number("mclass") or "-1",
        "M": number("mwi") or "-1",
        "C": quoted(charset),
        "u": quoted(asked.fields.get("udh", b"")),
        "O": f"{data_coding:02d}",
        "v": number("validity"),
        "V": number("deferred"),
    }
    for group, parameters in meta.items():
        values |= {f"#{group}#{name}#": quoted(value) for name, value in parameters.items()}
    filled = fill(dlr_url, values, is_last=False)
    return filled if check_callback_url(filled) is None else Misformed("DLR-URL")
