"""Lists of numbers and senders against a plain set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number_list import NumberList, read_list

digits = st.text("0123456789", min_size=1, max_size=20).filter(lambda one: one[:2] != "00")
names = st.text("aAbBß0 é", min_size=1, max_size=5).filter(
    lambda name: name.strip() == name and not set(name) <= set("0 ")
)


def listed(data: bytes) -> NumberList:
    found = read_list(data)
    assert isinstance(found, NumberList), found
    return found


@given(st.sets(digits | names, max_size=30), st.lists(digits | names, max_size=20))
def test_holds_what_a_set_holds(lines: set[str], asked: list[str]) -> None:
    found = listed("\n".join(lines).encode())
    wanted = {line.casefold() for line in lines}
    assert len(found) == len(wanted)
    for one in [*asked, *lines]:
        assert (one in found) is (one.casefold() in wanted), one


def test_leading_zeros_and_lengths_count() -> None:
    found = listed(b"41791234567\n007\n12345678901234567890\n")
    assert "41791234567" in found
    assert "+41791234567" in found
    assert "7" not in found
    assert "07" not in found
    assert "007" in found
    assert "4179123456" not in found
    assert "12345678901234567890" in found
    assert "" not in found


def test_comments_signs_and_case() -> None:
    found = listed("# stop list\r\n+4179\r\n\r\n  Shop \r\nGrüezi".encode())
    assert len(found) == 3
    assert "4179" in found
    assert "SHOP" in found
    assert "GRÜEZI" in found
    assert "# stop list" not in found


def test_an_empty_file_holds_nothing() -> None:
    for data in (b"", b"\n", b"\n\n"):
        assert len(listed(data)) == 0
        assert "41" not in listed(data)


def test_octets_that_are_no_text_are_told() -> None:
    with pytest.raises(UnicodeDecodeError):
        read_list(b"\xff\n")


@pytest.mark.parametrize(
    "line",
    [
        "+41 79 123 45 67",
        "0041791234567",
        "0041 79 123 45 67",
        "41791234567 # fraud",
        "41-79/123.45.67\t# seen in May",
        "(41) 79 123 45 67",
        "41791234568\r41791234567\r",
        "41791234568\r\n41791234567\r\n",
    ],
)
def test_a_number_is_found_however_it_is_written(line: str) -> None:
    found = listed(line.encode())
    for asked in ("41791234567", "+41791234567", "0041791234567"):
        assert asked in found


def test_nineteen_digits_are_found_with_and_without_plus() -> None:
    for line in (b"+1234567890123456789\n", b"1234567890123456789\n"):
        assert "1234567890123456789" in listed(line)
        assert "+1234567890123456789" in listed(line)


def test_names_keep_their_signs() -> None:
    found = listed(b"+Shop\nA#1\nShop 24 # ours\n*100#\n")
    for asked in ("+shop", "a#1", "Shop 24", "*100#"):
        assert asked in found
    assert "Shop" not in found


@pytest.mark.parametrize(
    "line",
    [
        "41791234567,fraud",
        "4179,x",
        '"41791234568"',
        "41791234567;",
        "41791234567#fraud",
        "+41 (0)79 123 45 67",  # only its plan knows whether the zero is dialled
        "123456789012345678901",
        "A name of no sender",
    ],
)
def test_what_can_match_nothing_is_refused(line: str) -> None:
    assert read_list(f"4178\n# so\n{line}\n".encode()) == [
        (3, f"{line!r} is no number and no sender; write +41791234567, or Shop, one a line")
    ]


def test_a_file_that_is_no_list_is_told_in_few_words() -> None:
    found = read_list(b"41791234567,fraud\n" * 1000)
    assert isinstance(found, list)
    assert len(found) == 20


def test_a_hundred_thousand_numbers_take_eight_octets_each() -> None:
    found = listed("".join(f"{41790000000 + 7 * n}\n" for n in range(100_000)).encode())
    assert len(found) == 100_000
    assert found.memory_octets < 8 * 100_000 + 64
    assert str(41790000000 + 7 * 99_999) in found
    assert str(41790000000 + 7 * 99_999 + 1) not in found
