"""The HTTP dialects of this build, besides the native API: their settings and their routes.

*In*: nothing. *Out*: `DIALECTS`, by the name that `[http] dialects` uses.
*Never*: what a request means.

A dialect is a pure file in `dialects/` (request to Draft, state to reply), its routes beside this
file, and one row here. `[dialects.NAME]` of the configuration is read into its settings.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from starlette.routing import BaseRoute

from bridges.http import (
    connector_dialect_routes,
    jasmin_routes,
    kannel_routes,
    netoxygen_routes,
    playsms_routes,
    smshub_routes,
    subito_routes,
)
from bridges.http.dialects.connector import ConnectorConfig
from bridges.http.dialects.jasmin import JasminConfig
from bridges.http.dialects.kannel import KannelConfig
from bridges.http.dialects.netoxygen import NetoxygenConfig
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.smshub import SmshubConfig
from bridges.http.dialects.subito import SubitoConfig
from bridges.http.endpoint import House


@attrs.frozen
class DialectKind:
    """One dialect: the class of its settings, and what builds its routes from (house, them)."""

    config: type[Any]
    routes: Callable[[House, Any], list[BaseRoute]]


DIALECTS: Final[Mapping[str, DialectKind]] = {
    "connector": DialectKind(ConnectorConfig, connector_dialect_routes.routes),
    "jasmin": DialectKind(JasminConfig, jasmin_routes.routes),
    "kannel": DialectKind(KannelConfig, kannel_routes.routes),
    "netoxygen": DialectKind(NetoxygenConfig, netoxygen_routes.routes),
    "playsms": DialectKind(PlaysmsConfig, playsms_routes.routes),
    "smshub": DialectKind(SmshubConfig, smshub_routes.routes),
    "subito": DialectKind(SubitoConfig, subito_routes.routes),
}
