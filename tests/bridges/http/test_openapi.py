"""The OpenAPI document against a running server: schemathesis reads it and asks, over sockets.

Bounded and seeded: Hypothesis draws the same requests each time.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridges.http.dialects import openapi
from bridges.http.dialects.rest_operations import OPERATIONS
from bridges.http.rest_routes import routes
from tests.bridges.http.dialect_house import DialectHouse

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
_REFUSED = [400, 401, 403, 404, 405, 413, 422]
_CONFIG = SchemathesisConfig.from_dict(
    {
        # The credentials are ours: a request without them is none that the test makes.
        "generation": {"with-security-parameters": False},
        "checks": {"negative_data_rejection": {"expected-statuses": _REFUSED}},
    }
)
_DOCUMENT = openapi.document("0")
_SCHEMA = schemathesis.openapi.from_dict(_DOCUMENT, config=_CONFIG)
_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
_REFUSABLE = {one.name for one in OPERATIONS if one.shape or one.query or one.path_names}


@pytest.mark.parametrize("mode", _MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_the_server_keeps_its_document(house: DialectHouse, operation: Any, mode: Any) -> None:
    if mode is schemathesis.GenerationMode.NEGATIVE and operation.name not in _REFUSABLE:
        pytest.skip("nothing of such a request can be wrong")
    described = _SCHEMA[operation.path][operation.method]

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(base_url=house.base, auth=("boss", "boss"))
        case.validate_response(response, checks=CHECKS)

    ask()


def test_every_path_of_the_table_is_served_and_described(house: DialectHouse) -> None:
    served = {
        (route.path, method)
        for route in routes(house_of(house))
        for method in (route.methods or ())
        if method != "HEAD"
    }
    described = {
        (path, method.upper()) for path, methods in _DOCUMENT["paths"].items() for method in methods
    }
    assert served == described == {(one.path, one.method) for one in OPERATIONS}


def house_of(house: DialectHouse) -> Any:
    """What the server builds its routes from."""
    from bridges.http.endpoint import House

    port: Any = house.gateway.http
    log: Any = house.log
    return House(port, log, port.now_ms)
