"""Load over HTTP: `POST /v1/messages` in batches, a few connections that always have one under way.

*In*: where, as whom, how many. *Out*: messages accepted, and how long it took.
*Never*: encodes a batch twice: the client shall not be what is measured.
"""

from typing import Final

import attrs
import httpx2
import orjson
import trio

from bench.load_histogram import Histogram

_ACCEPTED: Final = 202
_ANSWER_S: Final = 30.0


@attrs.define
class HttpTally:
    """What came of it; `seconds` is the length of the run, `errors` are other answers by status."""

    accepted: int = 0
    seconds: float = 0.0
    responses_s: Histogram = attrs.field(factory=Histogram)
    errors: dict[str, int] = attrs.field(factory=dict)


async def post_load(
    port: int,
    auth: tuple[str, str],
    *,
    seconds: float,
    batch: int = 100,
    connections: int = 8,
) -> HttpTally:
    """Post batches of `batch` messages to 127.0.0.1 for `seconds`."""
    tally = HttpTally()
    body = orjson.dumps(
        [
            {"from": "Load", "to": f"4179{number:07d}", "text": "Your parcel arrives today."}
            for number in range(batch)
        ]
    )
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", auth=auth, timeout=_ANSWER_S
    ) as client:
        started = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(_post, client, body, batch, started + seconds, tally)
        tally.seconds = trio.current_time() - started
    return tally


async def _post(
    client: httpx2.AsyncClient, body: bytes, batch: int, stop_at: float, tally: HttpTally
) -> None:
    headers = {"content-type": "application/json"}
    while (sent_at := trio.current_time()) < stop_at:
        response = await client.post("/v1/messages", content=body, headers=headers)
        tally.responses_s.add(trio.current_time() - sent_at)
        if response.status_code == _ACCEPTED:
            tally.accepted += batch
        else:
            name = f"HTTP {response.status_code}"
            tally.errors[name] = tally.errors.get(name, 0) + 1
