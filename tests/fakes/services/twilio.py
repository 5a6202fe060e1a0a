"""Twilio as its documents describe it."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import attrs

from tests.fakes.services.web import Answer, Seen, say_json

SID, TOKEN = "AC" + "0" * 32, "auth-token"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@attrs.define
class FakeTwilio:
    """`error` is (HTTP status, code, message)."""

    error: tuple[int, int, str] | None = None
    credentials: tuple[str, str] = (SID, TOKEN)
    statuses: dict[str, tuple[str, int | None]] = attrs.Factory(dict)
    taken: list[dict[str, str]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        root = f"/2010-04-01/Accounts/{SID}"
        if seen.headers.get("authorization") != basic(*self.credentials):
            return self._refuse(401, 20003, "Authenticate")
        if seen.path == f"{root}/Balance.json":
            return say_json({"balance": "13.37", "currency": "USD"})
        if seen.method == "GET":
            sid = seen.path.rpartition("/")[2].removesuffix(".json")
            if sid not in self.statuses:
                return self._refuse(404, 20404, "not found")
            status, code = self.statuses[sid]
            return say_json({"sid": sid, "status": status, "error_code": code})
        assert (seen.method, seen.path) == ("POST", f"{root}/Messages.json")
        if self.error is not None:
            return self._refuse(*self.error)
        self.taken.append(seen.form)
        sid = f"SM{len(self.taken):032x}"
        return say_json({"sid": sid, "status": "queued", "error_code": None, "price": None}, 201)

    @staticmethod
    def _refuse(status: int, code: int, message: str) -> Answer:
        return say_json(
            {"code": code, "message": message, "more_info": "…", "status": status}, status
        )


def sign(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """X-Twilio-Signature of a form post."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(
        hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    ).decode()


def form(fields: dict[str, str]) -> bytes:
    """The same fields as a body."""
    return urlencode(fields).encode()
