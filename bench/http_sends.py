"""One send by each HTTP interface of a real server: the rate of single posts, and their CPU time.

*In*: a directory for the stores. *Out*: a row for the native API, for its batches of 100, and for
each of `bridges.http.registry.DIALECTS`. *Never*: a dialect that is left out in silence.

One connection, one request under way: the CPU µs are what to look at, the rate depends on the disk.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import attrs
import httpx2
import orjson

from bench.gateway import CLOSED, PASSWORD, SYSTEM_ID, RunningGateway, gateway
from bridges.http.registry import DIALECTS
from smsc.control.client import ask
from smsc.control.verbs import Told

_TO: Final = "41791234567"
_TEXT: Final = "Your parcel arrives today."
_WARM_UP: Final = 5
BATCH: Final = 100
_LOGIN: Final = {"username": SYSTEM_ID, "password": PASSWORD}
Request = dict[str, Any]


@attrs.frozen
class Sent:
    """What one interface took; `wrong` says what its first answer was, where it was no success."""

    name: str
    per_s: float = 0.0
    """Messages; a request carries one of them, but for batches."""
    cpu_us: float = 0.0
    """Of the server, for a message."""
    wrong: str = ""


def _native(_server: RunningGateway) -> Request:
    return _post(orjson.dumps(_one()))


def _batches(_server: RunningGateway) -> Request:
    return _post(orjson.dumps([_one()] * BATCH))


def _post(body: bytes) -> Request:
    auth = (SYSTEM_ID, PASSWORD)
    return {"method": "POST", "url": "/v1/messages", "content": body, "auth": auth}


def _one() -> dict[str, str]:
    return {"from": "Load", "to": _TO, "text": _TEXT}


def _kannel(_server: RunningGateway) -> Request:
    return {"method": "GET", "url": "/cgi-bin/sendsms?" + urlencode(_LOGIN | _one())}


def _jasmin(_server: RunningGateway) -> Request:
    fields = _LOGIN | {"from": "Load", "to": _TO, "content": _TEXT}
    return {"method": "GET", "url": "/send?" + urlencode(fields)}


def _subito(_server: RunningGateway) -> Request:
    data = {"sender": "Load", "dest": "+" + _TO, "text": _TEXT}
    body = orjson.dumps({"auth": _LOGIN, "data": data})
    return {"method": "POST", "url": "/json.php?action=send", "content": body}


def _smshub(_server: RunningGateway) -> Request:
    fields = {**_LOGIN, "mobile": f"<String>+{_TO}</String>", "text": _TEXT}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:smshub">'
        f"<e:Body><u:smshubSend>{inside}</u:smshubSend></e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "application/xml"}
    return {"method": "POST", "url": "/smshub/", "content": body.encode(), "headers": headers}


def _netoxygen(_server: RunningGateway) -> Request:
    values = (SYSTEM_ID, PASSWORD, _TO, _TEXT)
    inside = "".join(f"<param><value><string>{one}</string></value></param>" for one in values)
    body = (
        f"<methodCall><methodName>send_message</methodName><params>{inside}</params></methodCall>"
    )
    headers = {"Content-Type": "text/xml"}
    return {"method": "POST", "url": "/api2/", "content": body.encode(), "headers": headers}


def _connector(_server: RunningGateway) -> Request:
    members = {"To": "+" + _TO, "Body": _TEXT, "From": "Load", "channel": "smpp"}
    return {"method": "POST", "url": "/msg-client/send", "content": orjson.dumps(members)}


def _playsms(server: RunningGateway) -> Request:
    account = {"account": SYSTEM_ID, "by": "bench"}
    told = ask(server.data_dir, "accounts.token", account)
    assert isinstance(told, Told), told
    made: Any = told.value
    fields = {"app": "ws", "u": SYSTEM_ID, "h": made["token"], "op": "pv"}
    return {"method": "GET", "url": "/index.php?" + urlencode(fields | {"to": _TO, "msg": _TEXT})}


SETTINGS: Final = {"connector": f'[dialects.connector]\naccount = "{SYSTEM_ID}"\n'}
SENDS: Final[Mapping[str, Callable[[RunningGateway], Request]]] = {
    "native": _native,
    "native, batches": _batches,
    "connector": _connector,
    "kannel": _kannel,
    "jasmin": _jasmin,
    "subito": _subito,
    "smshub": _smshub,
    "netoxygen": _netoxygen,
    "playsms": _playsms,
}
NATIVE: Final = ("native", "native, batches")


def measure(count: int, directory: Path | None = None) -> list[Sent]:
    """A row for each interface, each through a server of its own with an empty store.

    :param count: requests of each.
    """
    with tempfile.TemporaryDirectory(dir=directory) as place:
        return [_measure(name, count, Path(place)) for name in (*NATIVE, *DIALECTS)]


def _measure(name: str, count: int, place: Path) -> Sent:
    if name not in SENDS:
        return Sent(name, wrong="no request of it is known here: write one into SENDS")
    dialects = () if name in NATIVE else (name,)
    size = BATCH if name == "native, batches" else 1
    with (
        gateway(place, CLOSED + SETTINGS.get(name, ""), dialects=dialects) as server,
        httpx2.Client(base_url=f"http://127.0.0.1:{server.http_port}", trust_env=False) as client,
    ):
        request = SENDS[name](server)
        for _ in range(_WARM_UP):
            answer = client.request(**request)
        if _stored(client) != _WARM_UP * size:
            return Sent(name, wrong=f"{answer.status_code} {answer.text[:60]!r}")
        started, cpu_s = time.perf_counter(), server.cpu_s()
        for _ in range(count):
            client.request(**request)
        cpu_s, spent_s = server.cpu_s() - cpu_s, time.perf_counter() - started
        messages = count * size
        return Sent(name, messages / spent_s, cpu_s / messages * 1e6)


def _stored(client: httpx2.Client) -> int:
    """How many messages of the warm-up there are."""
    listed = client.get("/v1/messages", auth=(SYSTEM_ID, PASSWORD), params={"limit": 1000})
    return len(listed.json()["data"])
