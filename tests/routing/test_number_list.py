"""Lists of numbers and senders against a plain set."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number_list import NumberList

digits = st.text("0123456789", min_size=1, max_size=21)
names = st.text("aAbBß0 é", min_size=1, max_size=5).filter(lambda name: name.strip() == name)


@given(st.sets(digits | names, max_size=30), st.lists(digits | names, max_size=20))
def test_holds_what_a_set_holds(lines: set[str], asked: list[str]) -> None:
    listed = NumberList("\n".join(lines).encode())
    wanted = {line.casefold() for line in lines}
    assert len(listed) == len(wanted)
    for one in [*asked, *lines]:
        assert (one in listed) is (one.casefold() in wanted), one


def test_leading_zeros_and_lengths_count() -> None:
    listed = NumberList(b"41791234567\n007\n1234567890123456789012\n")
    assert "41791234567" in listed
    assert "+41791234567" in listed
    assert "7" not in listed
    assert "07" not in listed
    assert "007" in listed
    assert "4179123456" not in listed
    assert "1234567890123456789012" in listed
    assert "" not in listed


def test_comments_signs_and_case() -> None:
    listed = NumberList("# stop list\r\n+4179\r\n\r\n  Shop \r\nGrüezi".encode())
    assert len(listed) == 3
    assert "4179" in listed
    assert "SHOP" in listed
    assert "GRÜEZI" in listed
    assert "# stop list" not in listed


def test_an_empty_file_holds_nothing() -> None:
    for data in (b"", b"\n", b"\n\n"):
        assert len(NumberList(data)) == 0
        assert "41" not in NumberList(data)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("4179\n")
    assert "4179" in NumberList.load(path)
    path.write_text("4178\n")
    reloaded = NumberList.load(path)
    assert "4179" not in reloaded
    assert "4178" in reloaded
    path.write_bytes(b"\xff\n")
    with pytest.raises(UnicodeDecodeError):
        NumberList.load(path)
    with pytest.raises(FileNotFoundError):
        NumberList.load(tmp_path / "gone")


def test_a_hundred_thousand_numbers_take_eight_octets_each() -> None:
    listed = NumberList("".join(f"{41790000000 + 7 * n}\n" for n in range(100_000)).encode())
    assert len(listed) == 100_000
    assert listed.memory_octets < 8 * 100_000 + 64
    assert str(41790000000 + 7 * 99_999) in listed
    assert str(41790000000 + 7 * 99_999 + 1) not in listed
