"""AQL as its pages describe it: sms_gw.php, and version 2."""

import attrs

from tests.fakes.services.web import Answer, Say, Seen, say_json


@attrs.define
class FakeV1:
    """Answers `code:credits text`."""

    code: str = "0"
    text: str = "SMS successfully queued"
    taken: list[dict[str, str]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        fields = seen.form
        if (fields.get("username"), fields.get("password")) != ("bob", "pw"):
            return Say(body=b"2:0 Authentication error")
        if self.code == "0":
            self.taken.append(fields)
        return Say(body=f"{self.code}:1 {self.text}".encode())


@attrs.define
class FakeV2:
    """JSON."""

    error: tuple[int, str] | None = None
    taken: list[dict[str, object]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        if seen.headers.get("x-auth-token") != "tok":
            return say_json({"message": "Unauthenticated."}, 401)
        if seen.path == "/v2/sms/credit":
            return say_json({"data": {"credit": 77}})
        assert (seen.method, seen.path) == ("POST", "/v2/sms/send")
        if self.error is not None:
            return say_json({"message": self.error[1], "errors": {}}, self.error[0])
        body = seen.json
        self.taken.append(body)
        destinations = body["destinations"]
        assert isinstance(destinations, list)
        entry = {"id": f"m{len(self.taken)}", "destination": destinations[0], "state": "queued"}
        return say_json({"data": [entry], "meta": {"pagination": {}}})
