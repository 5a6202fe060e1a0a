"""Ids as UUIDs: one for each, and back."""

import uuid

import pytest

from bridges.http.dialects.uuids import id_of, uuid_of
from smsc.message import MessageId


@pytest.mark.parametrize("id_", [1, 175_123_456_789_012_345, (1 << 62) - 1, 1 << 62, (1 << 63) - 1])
def test_a_uuid_names_its_id(id_: int) -> None:
    text = uuid_of(MessageId(id_))
    assert id_of(text) == id_
    assert uuid.UUID(text).version == 8
    assert uuid.UUID(text).variant == uuid.RFC_4122


@pytest.mark.parametrize(
    "text", ["", "x", "07033084-5cfd-4812-90a4-e4d24ffb6e3d", uuid_of(MessageId(1))[:-1]]
)
def test_another_uuid_names_nothing(text: str) -> None:
    assert id_of(text) is None
