"""JSON with a comma too many: read as meant, and no string is touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.http.dialects.loose_json import NotJson, loads


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'{"a":1,}', {"a": 1}),
        (b"[1,2 , \r\n ]", [1, 2]),
        (b'{"a":[{"b":"c",},],}', {"a": [{"b": "c"}]}),
        (b'{"a":"x,]",}', {"a": "x,]"}),
        (b'{"a":"x\\",}",}', {"a": 'x",}'}),
        (b'{"a":"\\\\",}', {"a": "\\"}),
        ('{"a":"né, }",}'.encode(), {"a": "né, }"}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    ],
)
def test_it_is_read_as_meant(body: bytes, value: object) -> None:
    assert loads(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[,]x",
        b"[1,,]",
        b'{"a":1,,}',
        b'{"a":"b,]',
        b'{"a":"\xe9"}',
        b'{"a":"\\ud800"}',
        b"[" * 100_000,
        b'"\\"' * 100_000,
        b"a=1&b=2",
    ],
)
def test_what_is_no_json_is_told(body: bytes) -> None:
    assert isinstance(loads(body), NotJson)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8")),
    lambda one: st.lists(one, min_size=1) | st.dictionaries(st.text('a,]}\\"'), one, min_size=1),
)


@given(_VALUES)
def test_a_comma_before_each_bracket_changes_nothing(value: object) -> None:
    assert loads(_loose(value).encode()) == value


def _loose(value: object) -> str:
    match value:
        case list():
            return "[" + "".join(f"{_loose(one)} ,\n" for one in value) + "]"
        case dict():
            members = (f"{json.dumps(name)}: {_loose(one)}," for name, one in value.items())
            return "{" + "".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)
