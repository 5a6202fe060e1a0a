"""Keys of parts: alone and in lists."""

from smsc.message import OutletName
from smsc.store.keys import MAX_KEY_OCTETS, upstream_key, upstream_keys

CARRIER = OutletName("carrier")


def test_ids_too_long_for_a_key_are_told_apart_among_others() -> None:
    ids = ["7", "x" * 600, "x" * 599 + "y", "\ud800", "z" * 400]
    keys = upstream_keys(CARRIER, ids)
    assert len(set(keys)) == len(ids)
    assert all(len(key) < MAX_KEY_OCTETS for key in keys)
    assert all(key.startswith(b"carrier\0") for key in keys)
    assert keys[0] == b"carrier\x007"
    assert keys == [upstream_key(CARRIER, one) for one in ids]
    assert upstream_keys(CARRIER, []) == []
