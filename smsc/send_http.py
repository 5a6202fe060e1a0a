"""`smsc send` by the native HTTP interface of a running gateway.

*In*: a `Wish`, the gateway's URL. *Out*: a `Step` for each state it passes through.
*Never*: more than one message; a look more often than a few times a second.
"""

import time
from typing import Any, Final

import attrs
import httpx2

from smsc.send_way import FINAL, Step, Tell, Wish

_LOOK_S: Final = 0.25
_TIMEOUT_S: Final = 10.0


@attrs.frozen
class HttpWay:
    """See `smsc.send_way.Way`; `url` is that of the gateway, without a path."""

    url: str

    def __call__(self, wish: Wish, wait_s: float, tell: Tell) -> str:
        """Post it, then ask for it until it has ended."""
        with httpx2.Client(
            base_url=self.url,
            auth=(wish.account, wish.password),
            timeout=_TIMEOUT_S,
            trust_env=False,
        ) as client:
            try:
                id_ = _post(client, wish, tell)
                return "refused" if id_ is None else _watch(client, id_, wait_s, tell)
            except httpx2.HTTPError as error:
                tell(Step("unreachable", f"{self.url}: {error or type(error).__name__}"))
                return "unreachable"


def _post(client: httpx2.Client, wish: Wish, tell: Tell) -> str | None:
    """The id, or None after the refusal was told."""
    body: dict[str, Any] = {"from": wish.sender, "to": wish.to, "receipt": True}
    if wish.is_flash:
        data, data_coding = wish.coded()
        body |= {"hex": data.hex(), "data_coding": data_coding}
    else:
        body["text"] = wish.text
    answer = client.post("/v1/messages", json=body)
    told = _json(answer)
    if answer.status_code != 202:
        why = str(told.get("detail") or f"HTTP {answer.status_code}")
        tell(Step("refused", why, {"code": told.get("code")}))
        return None
    message = told["messages"][0]
    parts, coding = message["parts"], message["coding"]
    plural = "" if parts == 1 else "s"
    facts = {"id": message["id"], "parts": parts, "coding": coding}
    tell(Step("accepted", f"id {message['id']}, {parts} part{plural}, {coding}", facts))
    return str(message["id"])


def _watch(client: httpx2.Client, id_: str, wait_s: float, tell: Tell) -> str:
    """Tell each state that the message is seen in."""
    until = time.monotonic() + wait_s
    last: tuple[str, str] | None = None
    while True:
        told = _json(client.get(f"/v1/messages/{id_}"))
        state, outlet = str(told.get("state", "UNKNOWN")), str(told.get("outlet") or "")
        if (state, outlet) != last:
            last = (state, outlet)
            tell(_step(told, state, outlet))
        if state in FINAL:
            return state
        if time.monotonic() >= until:
            tell(Step("waiting", f"still {state} after {wait_s:g} s; its id is {id_}"))
            return state
        time.sleep(_LOOK_S)


def _step(told: dict[str, Any], state: str, outlet: str) -> Step:
    error, ids = told.get("error"), ", ".join(filter(None, told.get("upstream_ids", ())))
    parts = [
        f"outlet {outlet}" if outlet else "",
        f"called {ids} there" if ids else "",
        f"error {error}" if error else "",
    ]
    facts = {"outlet": outlet or None, "error": error, "attempt": told.get("attempt")}
    return Step(state, ", ".join(part for part in parts if part), facts)


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
