"""The callback styles of this build.

*In*: `Draft.callback_style`. *Out*: the style and the rest behind its name.
*Never*: what a style says.

A style is a pure class in this folder (see `style.CallbackStyle`) and one row here.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from bridges.callbacks.connector import ConnectorReportStyle, ConnectorStyle
from bridges.callbacks.jasmin import JasminBatchStyle, JasminStyle
from bridges.callbacks.kannel import KannelStyle
from bridges.callbacks.native import NativeStyle
from bridges.callbacks.style import CallbackStyle, QueueStyle
from smsc.ports import CallbackEvent

NATIVE: Final = NativeStyle()
_CONNECTOR_REPORT: Final = ConnectorReportStyle()
STYLES: Final[Mapping[str, CallbackStyle]] = {
    "": NATIVE,
    "jasmin": JasminStyle(),
    "jasmin-batch": JasminBatchStyle(),
    "kannel": KannelStyle(),
    "native": NATIVE,
    "connector": ConnectorStyle(),
    "connector-report": _CONNECTOR_REPORT,
}
QUEUE_STYLES: Final[Mapping[str, QueueStyle]] = {
    "": NATIVE,
    "native": NATIVE,
    "connector-report": _CONNECTOR_REPORT,
}


def find_style(callback_style: str) -> tuple[CallbackStyle, str]:
    """The style "NAME" or "NAME:REST" names, and REST.

    A name of another build means the native one: its client hears of its message all the same.
    """
    name, _, rest = callback_style.partition(":")
    return STYLES.get(name, NATIVE), rest


def find_queue_style(callback_style: str) -> tuple[QueueStyle, str]:
    """As `find_style`, for a delivery to a queue."""
    name, _, rest = callback_style.partition(":")
    return QUEUE_STYLES.get(name, NATIVE), rest


@lru_cache(maxsize=1024)
def events_of(callback_style: str) -> CallbackEvent:
    """The events that a style asks for; ends, where the name is unknown."""
    name, _, rest = callback_style.partition(":")
    style = STYLES.get(name)
    if style is None:
        return CallbackEvent.DELIVERED | CallbackEvent.FAILED
    return style.events(rest)
