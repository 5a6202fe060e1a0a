"""Answers of playSMS web services on the wire: JSON, XML, or PHP's serialize().

*In*: an answer (a table) or a `Fault`, the format that was asked for, the time.
*Out*: `Reply`. *Never*: what the answer means.

Every answer ends with `error_string` (null where nothing failed) and `timestamp` (Unix seconds).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson

from bridges.http.dialects.base import RETRY_AFTER_S, Reply, header_text
from bridges.http.dialects.playsms.codes import TEXTS, Fault
from bridges.http.dialects.safe_xml import escaped

Answer = Mapping[str, object]
"""Text, int, bool, None, or tables and lists of such."""
Row = dict[str, str]
SEND_FAILED: Final = 200
_NO_STORE: Final = ("Cache-Control", "no-store")
"""Tokens stand in URLs and in answers."""


def to_reply(answer: Answer | Fault, format_: str, now_ms: int) -> Reply:
    """The HTTP answer; an unknown format is JSON."""
    status, error_string = 200, None
    headers: tuple[tuple[str, str], ...] = (_NO_STORE,)
    if isinstance(answer, Fault):
        status, error_string = answer.status, TEXTS[answer.code]
        wait_s = RETRY_AFTER_S.get(status)
        headers += (("Retry-After", str(wait_s)),) if wait_s else ()
        headers += (("X-Reason", header_text(answer.why)),) if answer.why else ()
        if answer.code == SEND_FAILED:  # programs look for rows, also where nobody gets anything
            answer, error_string = {"data": [send_row("ERR", SEND_FAILED)]}, None
        else:
            answer = {"status": "ERR", "error": str(answer.code)}
    whole = {**answer, "error_string": error_string, "timestamp": now_ms // 1000}
    write, media_type = _FORMATS.get(format_.lower(), _FORMATS["json"])
    return Reply(status, write(whole), media_type, headers)


def ok(**fields: object) -> Answer:
    """Success with the two members that most answers begin with."""
    return {"status": "OK", "error": "0", **fields}


def send_row(
    status: str, error: int = 0, smslog_id: str = "", queue: str = "", to: str = ""
) -> Row:
    """What became of one receiver of a pv."""
    return {
        "status": status,
        "error": str(error),
        "smslog_id": smslog_id,
        "queue": queue,
        "to": to,
    }


def to_xml(answer: Answer) -> bytes:
    """As PHP's SimpleXML writes it: items of a list are called item, null and false are empty."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<response>{_elements(answer)}</response>\n".encode()


def to_php(value: object) -> bytes:
    """PHP's serialize(): strings by their octets, a list as an array with numbers as keys."""
    match value:
        case None:
            return b"N;"
        case bool():
            return b"b:%d;" % value
        case int():
            return b"i:%d;" % value
        case str():
            octets = value.encode()
            return b's:%d:"%b";' % (len(octets), octets)
        case Mapping():
            items = list(value.items())
        case Sequence():
            items = list(enumerate(value))
        case _:
            raise TypeError(f"PHP has no {type(value).__name__}")
    inner = b"".join(to_php(key) + to_php(item) for key, item in items)
    return b"a:%d:{%b}" % (len(items), inner)


def _elements(value: Mapping[str, object]) -> str:
    return "".join(_element(name, item) for name, item in value.items())


def _element(name: str, value: object) -> str:
    match value:
        case None | False | "":
            return f"<{name}/>"
        case True:
            inner = "1"
        case Mapping():
            inner = _elements(value)
        case list() | tuple():
            inner = "".join(_element("item", item) for item in value)
        case _:
            inner = escaped(str(value))
    return f"<{name}>{inner}</{name}>"


_FORMATS: Final[Mapping[str, tuple[Callable[[Answer], bytes], str]]] = {
    "json": (orjson.dumps, "application/json"),
    "xml": (to_xml, "text/xml"),
    "serialize": (to_php, "text/plain"),
}
