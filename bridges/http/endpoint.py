"""One request: who is calling, how much may they send, what goes wrong when a handler does.

*In*: a starlette request. *Out*: the `Reply` of a handler as a starlette response.
*Never*: knowledge of a dialect; it brings its handlers and says how a failure looks.

The order is the defence: credentials first, then the body, so that a stranger cannot make the
gateway hold one octet of a body. Passwords and query strings never reach a log.
"""

import base64
import contextlib
import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import trio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from bridges.http.dialects.base import Reply, http_status
from bridges.http.gateway import Account, Gateway
from smsc.message import AccountId
from smsc.ports import Refused

NAME_CHARACTERS = 64
"""More than any account's name has (SMPP 3.4 §5.2.1)."""
GOODBYE = {"Connection": "close"}
"""The rest of the body will not be read, so no request can follow it (RFC 9112 §9.6)."""
MESSAGE_OCTETS = 65536
"""How long one message of the native API may be, octets of JSON."""
CHALLENGE = {"WWW-Authenticate": 'Basic realm="smsc", charset="UTF-8"'}


@attrs.frozen
class Limits:
    """What one client may take of the server; octets and seconds."""

    body_octets: int = 4 * 1024 * 1024
    body_s: float = 30.0
    """How long a body may take to arrive."""

    header_octets: int = 16 * 1024
    idle_s: float = 30.0
    """How long a connection may stay without a complete request header."""

    write_s: float = 15.0
    """How long the client may take to read what is sent in one piece."""

    connections: int = 2000


@attrs.frozen
class House:
    """What every endpoint needs, built once when the server starts."""

    gateway: Gateway
    log: FilteringBoundLogger
    now_ms: Callable[[], int]
    limits: Limits = Limits()
    dialects: Mapping[str, Any] = attrs.field(factory=dict)
    """The dialects that are switched on besides the native one, with their settings."""
    receiver_at: Callable[[str], Any] = lambda _path: None
    """The connector that an online service calls by a path; see `connector_routes`."""
    message_octets: int = MESSAGE_OCTETS
    """How long one message of the native API may be; see `Limits` for whole requests."""


@attrs.define(slots=True)
class Call:
    """A request whose credentials were checked and whose body has arrived."""

    gateway: Gateway
    account: Account | None
    path: Mapping[str, str]
    body: bytes
    now_ms: int
    method: str = "POST"
    query: str = ""
    """As it came, percent-encoded."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """By name, whatever its case."""
    peer: str = ""
    """IP address of the client, "" if unknown."""

    @property
    def caller(self) -> Account:
        """The account, where the endpoint requires one."""
        assert self.account is not None, "this endpoint does not require an account"
        return self.account

    async def authenticate(self, name: str, password: str) -> Account | Refused:
        """Check credentials that the dialect found in the request itself; see `Auth.OWN`.

        A name is cut: failures are remembered by it, and a stranger must not make that much.
        """
        return await self.gateway.authenticate(name[:NAME_CHARACTERS], password, self.peer)

    async def authenticate_token(self, name: str, token: str) -> Account | Refused:
        """As `authenticate`, by the account's API token."""
        return await self.gateway.authenticate_token(name[:NAME_CHARACTERS], token, self.peer)

    def sender(self, account: AccountId) -> str:
        """What an account sends as when a message does not say; "" leaves it to the network."""
        profile = self.gateway.directory.profile(account)
        return profile.sender if profile is not None else ""


class Auth(enum.Enum):
    """What an endpoint asks of its caller."""

    OPTIONAL = enum.auto()
    ACCOUNT = enum.auto()
    ADMIN = enum.auto()
    OWN = enum.auto()
    """The dialect looks for credentials in the request itself; see `Call.gateway`."""


@attrs.define(slots=True)
class Failure:
    """A request that no handler saw, or that broke one: HTTP status and a sentence."""

    status: int
    why: str


Handler = Callable[[Call], Awaitable[Reply]]
Wording = Callable[[Failure], Reply]
"""How a dialect says that something failed before or beside its own code."""


def endpoint(
    house: House,
    handler: Handler,
    wording: Wording,
    auth: Auth = Auth.ACCOUNT,
    body_octets: int | None = None,
) -> Callable[[Request], Awaitable[Response]]:
    """A starlette endpoint around `handler`: HTTP basic auth, body limit, no exception escapes.

    `body_octets`: how long a body may be, where that is less than for the native API. With
    `Auth.OWN` anybody may bring a body, so there it should be little.
    """
    limits = house.limits
    if body_octets is not None:
        limits = attrs.evolve(limits, body_octets=min(body_octets, limits.body_octets))

    async def answer(request: Request) -> Response:
        try:
            account = await _authenticate(house, request, auth)
            if isinstance(account, Failure):
                headers = CHALLENGE if account.status == 401 else {}
                if _has_body(request):
                    headers = {**headers, **GOODBYE}
                return to_response(wording(account), headers)
            body = await _read_body(limits, request)
            if isinstance(body, Failure):
                return to_response(wording(body), GOODBYE)
            call = Call(
                house.gateway,
                account,
                request.path_params,
                body,
                house.now_ms(),
                request.method,
                request.url.query,
                request.headers,
                _peer(request),
            )
            return to_response(await handler(call))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except Exception:  # a bug: its client gets a 500, the others go on
            house.log.exception("http.request.failed", method=request.method, path=request.url.path)
            why = "the gateway failed on this request; whether it took effect is not known"
            return to_response(wording(Failure(500, why)))

    return answer


def to_response(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    """A reply as starlette sends it."""
    merged = dict(reply.headers) | dict(headers or {})
    return Response(reply.body, reply.status, merged, reply.media_type)


# --- who is calling ---------------------------------------------------------------------------


def parse_basic(header: str) -> tuple[str, str] | None:
    """User and password of an Authorization header (RFC 7617), None if it has another form."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:  # no base64, or no UTF-8 in it
        return None
    name, colon, password = decoded.partition(":")
    return (name, password) if colon else None


async def _authenticate(house: House, request: Request, auth: Auth) -> Account | Failure | None:
    if auth is Auth.OWN:
        return None
    header = request.headers.get("authorization")
    if header is None:
        if auth is Auth.OPTIONAL:
            return None
        return Failure(401, "this needs an account; send its name and password by HTTP basic auth")
    credentials = parse_basic(header)
    if credentials is None:
        return Failure(
            401, "the Authorization header is not of the form Basic base64(name:password)"
        )
    account = await house.gateway.authenticate(*credentials, _peer(request))
    if isinstance(account, Refused):
        status = http_status(account.status)
        return Failure(status if status in {401, 429, 503} else 403, account.why)
    if auth is Auth.ADMIN and not account.admin:
        return Failure(403, f"account {account.name} is no admin; set admin = true for it")
    return account


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


# --- what it brings ---------------------------------------------------------------------------


def _has_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _read_body(limits: Limits, request: Request) -> bytes | Failure:
    too_large = Failure(413, f"a request body may have {limits.body_octets} octets at most")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.body_octets:
        return too_large
    chunks: list[bytes] = []
    octets = 0
    with trio.move_on_after(limits.body_s):
        async with contextlib.aclosing(request.stream()) as arriving:
            async for chunk in arriving:
                octets += len(chunk)
                if octets > limits.body_octets:
                    return too_large
                chunks.append(chunk)
        return b"".join(chunks)
    return Failure(408, f"the request body did not arrive within {limits.body_s:g} seconds")
