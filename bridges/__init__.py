"""Bridges: the gateway's doors to other worlds, HTTP in, carriers and callbacks out.

`REGISTRY` names every kind of outlet: its settings and how it is built.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from bridges.connectors import kinds as connectors
from bridges.simulator import Simulator, SimulatorConfig
from bridges.smpp_upstream import UpstreamLink
from bridges.upstream_config import UpstreamConfig
from smsc.message import OutletName
from smsc.ports import Outlet


@attrs.frozen
class Kind:
    """One kind of outlet: the class of its settings, and what builds it from (name, them, log)."""

    config: type[Any]
    build: Callable[[OutletName, Any, Any], Outlet]


REGISTRY: Final[Mapping[str, Kind]] = {
    "simulator": Kind(SimulatorConfig, lambda name, config, _log: Simulator(name, config)),
    "smpp": Kind(
        UpstreamConfig,
        lambda name, config, log: UpstreamLink(name, config, log=log, draw=random.Random()),
    ),
    **{kind: Kind(config, connectors.build(kind)) for kind, config in connectors.CONFIGS.items()},
}
