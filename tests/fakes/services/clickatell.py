"""Clickatell as its documents describe it: platform, One API and the classic interface."""

import attrs
import orjson

from tests.fakes.services.web import Answer, Say, Seen, say_json

KEY = "the-key=="
LOGIN = {"api_id": "3442", "user": "bob", "password": "p&ss"}


@attrs.define
class FakePlatform:
    """Refuses what `error` says; else takes it."""

    error: tuple[str, str] | None = None
    status: int = 0
    taken: list[dict[str, object]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        if seen.headers.get("authorization") != KEY:
            return self._refuse("1", "Invalid credentials", 401)
        if seen.path == "/public-client/balance":
            return say_json({"balance": 41.5, "currency": "EUR"})
        assert seen.path in {"/messages", "/v1/message"}, seen.path
        assert seen.headers["content-type"] == "application/json"
        body = seen.json
        if seen.path == "/v1/message":
            messages = body["messages"]
            assert isinstance(messages, list)
            one = messages[0]
            assert one["channel"] == "sms"
        else:
            assert isinstance(body["to"], list)
            one = {**body, "to": body["to"][0]}
        if self.error is not None:
            return self._refuse(*self.error, self.status or 400, to=one["to"])
        self.taken.append(one)
        entry = {
            "apiMessageId": f"{len(self.taken):032x}",
            "accepted": True,
            "to": one["to"],
            "error": None,
        }
        return say_json({"messages": [entry], "error": None}, 202)

    def _refuse(self, code: str, why: str, status: int, to: object = None) -> Say:
        error = {"code": code, "description": why}
        if to is None:
            return say_json({"messages": [], "error": error}, status)
        entry = {"apiMessageId": None, "accepted": False, "to": to, "error": error}
        return say_json({"messages": [entry], "error": None}, 207 if status < 400 else status)


def platform_callback(message_id: str, code: int, at_ms: int = 1_790_000_001_000) -> bytes:
    """The body of a receipt."""
    update = {
        "channel": "sms",
        "messageId": message_id,
        "clientMessageId": "x",
        "timestamp": at_ms,
        "statusCode": code,
        "status": "…",
    }
    return orjson.dumps(
        {
            "integrationId": "i",
            "integrationName": "n",
            "event": {"messageStatusUpdate": [update]},
        }
    )


@attrs.define
class FakeClassic:
    """Text answers; `error` is "code, description"."""

    error: str = ""
    statuses: dict[str, str] = attrs.Factory(dict)
    taken: list[dict[str, str]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        fields = seen.form
        if {name: fields.get(name) for name in LOGIN} != LOGIN:
            return Say(body=b"ERR: 001, Authentication failed")
        if seen.path == "/http/getbalance":
            return Say(body=b"Credit: 12.500")
        if seen.path == "/http/querymsg":
            id_ = fields["apimsgid"]
            return Say(body=f"ID: {id_} Status: {self.statuses.get(id_, '003')}".encode())
        assert seen.path == "/http/sendmsg", seen.path
        if self.error:
            return Say(body=f"ERR: {self.error}".encode())
        assert fields["to"].isdigit()
        self.taken.append(fields)
        return Say(body=f"ID: {len(self.taken):032x}".encode())
