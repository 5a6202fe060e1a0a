"""OVH as its guides describe it: the signed REST interface, and http2sms."""

import hashlib

import attrs

from tests.fakes.services.web import Answer, Say, Seen, say_json

AK, AS, CK = "app-key", "app-secret", "consumer"
SERVICE = "sms-xx11111-1"
TIME = 1_790_000_500


@attrs.define
class FakeRest:
    """Checks every signature; `clock` is its own time."""

    base: str = ""
    """URL that requests are signed for; the test sets it."""
    clock: int = TIME
    status: int = 0
    why: str = ""
    invalid: bool = False
    outgoing: dict[str, dict[str, object]] = attrs.Factory(dict)
    taken: list[dict[str, object]] = attrs.Factory(list)
    times_asked: int = 0

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/1.0/auth/time":
            self.times_asked += 1
            return Say(body=str(self.clock).encode())
        if abs(int(seen.headers["x-ovh-timestamp"]) - self.clock) > 30:
            return say_json({"message": "Invalid signature or timestamp"}, 400)
        if seen.headers["x-ovh-signature"] != self._signature(seen):
            return say_json({"message": "Invalid signature"}, 400)
        if seen.headers["x-ovh-application"] != AK or seen.headers["x-ovh-consumer"] != CK:
            return say_json({"message": "This credential is not valid"}, 403)
        root = f"/1.0/sms/{SERVICE}"
        if seen.path == root:
            return say_json({"name": SERVICE, "creditsLeft": 1987.5})
        if seen.path.startswith(f"{root}/outgoing/"):
            found = self.outgoing.get(seen.path.rpartition("/")[2])
            if found is None:
                return say_json({"message": "The requested object does not exist"}, 404)
            return say_json(found)
        assert (seen.method, seen.path) == ("POST", f"{root}/jobs")
        if self.status:
            return say_json({"message": self.why}, self.status)
        job = seen.json
        receivers = job["receivers"]
        if self.invalid:
            return say_json({"ids": [], "invalidReceivers": receivers, "validReceivers": []})
        self.taken.append(job)
        return say_json(
            {
                "totalCreditsRemoved": 1,
                "invalidReceivers": [],
                "ids": [26929924 + len(self.taken)],
                "validReceivers": receivers,
            }
        )

    def _signature(self, seen: Seen) -> str:
        parts = (
            AS,
            CK,
            seen.method,
            self.base + seen.target,
            seen.body.decode(),
            seen.headers["x-ovh-timestamp"],
        )
        return "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()


@attrs.define
class FakeHttp2Sms:
    """JSON with a status."""

    status: int = 100
    message: str = ""
    taken: list[dict[str, str]] = attrs.Factory(list)

    def __call__(self, seen: Seen) -> Answer:
        fields = seen.form
        if (fields["account"], fields["login"], fields["password"]) != (SERVICE, "user", "pw"):
            return say_json({"status": 401, "message": "Login or password incorrect"})
        assert fields["contentType"] == "application/json"
        if self.status != 100:
            return say_json({"status": self.status, "message": self.message})
        self.taken.append(fields)
        return say_json({"status": 100, "creditLeft": "1987", "SmsIds": [f"1086{len(self.taken)}"]})
