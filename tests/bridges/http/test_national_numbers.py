"""Numbers without "+" and without a leading 0 are read by the account's region in each dialect."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.bridges.http.dialect_house import DialectHouse

ROME = {"username": "rome", "password": "rome"}


def newest(house: DialectHouse) -> Any:
    answer = house.client.get("/v1/messages", auth=("rome", "rome"))
    return answer.json()["data"][0]


def get(house: DialectHouse, path: str, fields: Mapping[str, str]) -> None:
    answer = house.client.get(path, params=dict(fields))
    assert answer.status_code in {200, 202}, answer.text


def by_rest(house: DialectHouse, to: str) -> None:
    wish = {"to": to, "from": "3123456780", "text": "hi"}
    answer = house.client.post("/v1/messages", json=wish, auth=("rome", "rome"))
    assert answer.status_code == 202, answer.text


def by_rest_slowly(house: DialectHouse, to: str) -> None:
    wish = {"to": to, "from": "3123456780", "text": "hi", "flash": True}
    answer = house.client.post("/v1/messages", json=wish, auth=("rome", "rome"))
    assert answer.status_code == 202, answer.text


def by_kannel(house: DialectHouse, to: str) -> None:
    fields = {**ROME, "from": "3123456780", "to": to.replace(" ", ""), "text": "hi"}
    get(house, "/cgi-bin/sendsms", fields)


def by_jasmin(house: DialectHouse, to: str) -> None:
    get(house, "/send", {**ROME, "from": "3123456780", "to": to.replace(" ", ""), "content": "hi"})


def by_smshub(house: DialectHouse, to: str) -> None:
    params = {**ROME, "sender": "3123456780", "mobile": [to], "text": "hi"}
    wish = {"method": "smshubSend", "params": params, "id": 1}
    answer = house.client.post("/smshub/", json=wish)
    assert "result" in answer.json(), answer.text


def by_playsms(house: DialectHouse, to: str) -> None:
    token = house.token("rome")
    fields = {"app": "ws", "u": "rome", "h": token, "op": "pv", "to": to, "msg": "hi"}
    get(house, "/index.php", fields)


@pytest.mark.parametrize(
    "send", [by_rest, by_rest_slowly, by_kannel, by_jasmin, by_smshub, by_playsms]
)
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("3123456789", "393123456789"),
        ("312 345 67 88", "393123456788"),
        ("+41791234567", "41791234567"),  # what is international stays
        ("41791234568", "41791234568"),
    ],
)
def test_the_region_decides(house: DialectHouse, send: Any, written: str, read: str) -> None:
    send(house, written)
    found = newest(house)
    assert found["to"] == read
    if send is not by_playsms:  # its sender is read by the dialect's own region
        assert found["from"] == "393123456780"


def test_what_plus_and_brackets_say_counts(house: DialectHouse) -> None:
    for written, read in (
        ("(312) 345-6787", "393123456787"),
        ("+41 (0)79 123 45 69", "41791234569"),
        ("+39 (0)2 3618 8300", "390236188300"),
    ):
        by_rest(house, written)
        assert newest(house)["to"] == read
