"""Who is bound, by account."""

from smsc.bindings import Bindings
from smsc.message import AccountId


def test_bindings_count_by_account() -> None:
    bindings, a, b = Bindings(), object(), object()
    demo, one = AccountId("demo"), AccountId("one")
    bindings.add(demo, a)
    bindings.add(demo, b)
    bindings.add(one, a)
    assert dict(bindings) == {"demo": 2, "one": 1}
    assert len(bindings) == 3
    assert (bindings.may_bind(demo, 2), bindings.may_bind(demo, 3)) == (False, True)
    assert bindings.may_bind(demo, 0)
    bindings.remove(demo, a)
    bindings.remove(demo, a)
    bindings.remove(one, a)
    assert dict(bindings) == {"demo": 1}
