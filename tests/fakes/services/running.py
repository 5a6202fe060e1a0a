"""A connector that runs, over real sockets, between a fake flow and a fake service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from bridges.connectors import kinds
from bridges.connectors.connector import Connector
from bridges.connectors.kinds import ClickatellConfig
from smsc.config_errors import Secret
from smsc.message import OutletName
from smsc.ports import Outcome
from tests.fakes.house import eventually
from tests.fakes.log import FakeLog
from tests.fakes.services.clickatell import KEY
from tests.fakes.services.sms import outgoing_of
from tests.fakes.services.web import FakeWeb, Handler, serving
from tests.fakes.upstream import FakeFlow

PATIENCE_S = 10.0
NAME = OutletName("online")


@attrs.define
class Running:
    outlet: Connector
    flow: FakeFlow
    log: FakeLog
    web: FakeWeb
    life: trio.CancelScope

    def send(self, *ids: int, text: str = "Hello", sender: str = "Shop") -> None:
        self.outlet.send([outgoing_of(text, sender=sender, id_=id_) for id_ in ids])

    async def outcomes(self, count: int = 1) -> list[Outcome]:
        await eventually(lambda: len(self.flow.outcomes) >= count)
        assert len(self.flow.outcomes) == count
        return self.flow.outcomes

    async def outcome(self, id_: int = 1, **more: str) -> Outcome:
        """Send one message and return what became of it."""
        count = len(self.flow.outcomes) + 1
        self.send(id_, **more)
        return (await self.outcomes(count))[-1]

    def fact(self, name: str) -> Any:
        return self.outlet.statistics()[name]


def clickatell(url: str, **settings: Any) -> ClickatellConfig:
    return ClickatellConfig(url=url, key=Secret(KEY), **settings)


@asynccontextmanager
async def driving(kind: str, config: Any, web: FakeWeb) -> AsyncIterator[Running]:
    """Run the connector of some settings."""
    log, flow = FakeLog(), FakeFlow()
    outlet = kinds.build(kind)(NAME, config, log.log)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            life = trio.CancelScope()

            async def live() -> None:
                with life:
                    await outlet.run(flow)

            nursery.start_soon(live)
            await eventually(lambda: outlet.is_up or not outlet.breaker.takes_all())
            yield Running(outlet, flow, log, web, life)
            life.cancel()


@asynccontextmanager
async def running(answer: Handler, **settings: Any) -> AsyncIterator[Running]:
    """A connector to Clickatell's platform whose service answers so."""
    more = {"delay_s": settings.pop("delay_s", 0.0)}
    async with (
        serving(answer, **more) as web,
        driving("clickatell", clickatell(web.url, **settings), web) as one,
    ):
        yield one
