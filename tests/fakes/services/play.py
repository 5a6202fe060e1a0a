"""A service and its fake, face to face without sockets."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from bridges.connectors.service import Callback, Declined, Request, Response, Service, Verdict
from bridges.connectors.sms import Sms
from tests.fakes.services.web import Answer, Handler, Say, Seen

NOW_S = 1_790_000_000.5


def seen_of(request: Request) -> Seen:
    """What a server sees of a request."""
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {name.lower(): value for name, value in request.headers}
    return Seen(request.method, target, headers, request.body)


def response_of(answer: Answer) -> Response:
    """What a client gets of an answer."""
    assert isinstance(answer, Say), answer
    headers = {name.lower(): value for name, value in answer.headers}
    return Response(answer.status, headers, answer.body)


def exchange(fake: Handler, request: Request | Declined | None) -> Response:
    assert isinstance(request, Request), request
    return response_of(fake(seen_of(request)))


def play(service: Service, fake: Handler, sms: Sms) -> Verdict:
    """One message through both."""
    preparation = service.preparation(NOW_S)
    if preparation is not None:
        assert service.prepared(exchange(fake, preparation), NOW_S) is None
    request = service.request(sms, NOW_S)
    if isinstance(request, Declined):
        return request
    return service.verdict(sms, exchange(fake, request))


def say(service: Service, sms: Sms, answer: Answer) -> Verdict:
    """What the service makes of any answer."""
    return service.verdict(sms, response_of(answer))


def call(
    url: str = "https://gw.example/receipts/x",
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Callback:
    return Callback(method, url, headers or {}, body)


Asked = Callable[[float], Request | None]
