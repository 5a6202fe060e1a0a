"""The error codes of playSMS web services and their texts, as the document prints them.

*In*: a code. *Out*: `Fault`, its text. *Never*: what leads to it.

Seed: "JunubSMS: WebServices API" 1.4.5, section Return Codes.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from bridges.http.dialects.base import http_status
from pdu.status import Status, Vendor
from smsc.ports import Refused

TEXTS: Final[Mapping[int, str]] = {
    100: "authentication failed",
    101: "type of action is invalid or unknown",
    102: "one or more field empty",
    103: "not enough credit for this operation",
    104: "webservice token is not available",
    105: "webservice token not enable for this user",
    106: "webservice token not allowed from this IP address",
    200: "send message failed",
    201: "destination number or message is empty",
    400: "no delivery status available",
    401: "no delivery status retrieved and SMS still in queue",
    402: "no delivery status retrieved and SMS has been processed from queue",
    501: "no data returned or result is empty",
    600: "admin level authentication failed",
    601: "inject message failed",
    602: "sender id or message is empty",
    603: "account addition failed due to missing data",
    604: "fail to add account",
    605: "account removal failed due to unknown username",
    606: "fail to remove account",
    607: "set parent failed due to unknown username",
    608: "fail to set parent",
    609: "get parent failed due to unknown username",
    610: "fail to get parent",
    611: "account ban failed due to unknown username",
    612: "fail to ban account",
    613: "account unban failed due to unknown username",
    614: "fail to unban account",
    615: "editing account preferences failed due to missing data",
    616: "fail to edit account preferences",
    617: "editing account configuration failed due to missing data",
    618: "fail to edit account configuration",
    619: "viewing credit failed due to missing data",
    620: "fail to view credit",
    621: "adding credit failed due to missing data",
    622: "fail to add credit",
    623: "deducting credit failed due to missing data",
    624: "fail to deduct credit",
    625: "setting login key failed due to missing data",
    626: "fail to set login key",
}


@attrs.frozen
class Fault:
    """A documented error."""

    code: int
    why: str = ""
    """More than the document's text says, for the header X-Reason."""
    status: int = 200
    """HTTP status; not 200 only for what playSMS itself never sees."""


def refused_login(refused: Refused, *, is_admin: bool = False, closed: int = 105) -> Fault:
    """Why somebody may not speak; the text of 600 fits every stranger who asks for admin things.

    :param closed: the code for an account that is closed.
    """
    if refused.status == Vendor.SMSC_ACCOUNT_CLOSED:
        return Fault(closed, refused.why)
    if refused.status == Status.ESME_RPROHIBITED:
        return Fault(106, refused.why)
    # What the password of an unknown account would have been is nobody's business: no `why`.
    is_passing = http_status(refused.status) in {429, 500, 503}
    return Fault(600 if is_admin else 100, status=503 if is_passing else 200)
