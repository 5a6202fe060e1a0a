"""Perl's RPC::XML and PHP's SoapClient against a whole gateway, as the programs of others use them.

Debian's packages librpc-xml-perl, php-cli and php-soap bring them; CI installs these.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from bridges.http.dialects.base import read_body
from smsc.message import State
from tests.bridges.http.xml_house import XmlHouse, running

CLIENTS = Path(__file__).parent / "clients"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def xml_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XmlHouse]:
    with running(tmp_path_factory.mktemp("foreign")) as one:
        yield one


def said(*command: str | Path) -> list[Any]:
    """What a client printed, a value a line."""
    ran = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    return [orjson.loads(line) for line in ran.stdout.splitlines()]


def has(*command: str) -> bool:
    """Does a command end well?"""
    if shutil.which(command[0]) is None:
        return False
    ran = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    return ran.returncode == 0


def test_perl_s_rpc_xml(xml_house: XmlHouse) -> None:
    if not has("perl", "-MRPC::XML::Client", "-e1"):
        pytest.skip("no RPC::XML (apt-get install librpc-xml-perl): PERL CLIENTS ARE NOT TESTED")
    ((first,), (second,), (status,), (fault,)) = said(
        "perl", CLIENTS / "netoxygen.pl", f"{xml_house.base}/api2/"
    )
    for ((dest, was_sent, id_),), text in ((first, "été €"), (second, "4711")):
        assert (dest, int(was_sent)) == ("0792223344", 1)
        spoken = read_body(xml_house.message(id_)[0].body)
        assert (spoken.destination, spoken.text()) == ("41792223344", text)
        xml_house.wait_for(id_, State.DELIVERED)
    ((id_, facts),) = status
    assert id_ == first[0][2]
    assert (facts["to"], int(facts["length"])) == ("41792223344", 5)
    assert fault == {"fault": -32500}


def test_php_s_soap_client(xml_house: XmlHouse) -> None:
    if not has("php", "-r", "exit(class_exists('SoapClient') ? 0 : 1);"):
        pytest.skip("no SoapClient (apt-get install php-cli php-soap): PHP IS NOT TESTED")
    sent, status, encoded, wrong, fault = said("php", CLIENTS / "smshub.php", xml_house.base)
    assert sent == {"code": 1, "error": "", "message": "SMS send success"}
    assert status == 1
    assert encoded == {"code": "1", "error": "", "message": "SMS send success"}
    assert wrong["error"] == "AuthFailed"
    assert fault == "SOAP-ENV:Client"
    told = [read_body(report.message.body) for report in xml_house.newest(4)]
    assert [one.destination for one in told] == ["352691123456", "41791234567"] * 2
    assert [one.text() for one in told] == ["Grüezi & <b>"] * 2 + ["été €"] * 2
    assert [one.source for one in told] == ["Bank"] * 2 + [""] * 2
