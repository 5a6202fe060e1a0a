"""Prefix tables from files: the quick way, the patient way, and what is said of mistakes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from routing.prefix_csv import CsvError, Price, Route, read_prices, read_routes
from routing.prefixes import PrefixTable


def prices(data: bytes) -> dict[str, Price]:
    table = read_prices(data)
    assert isinstance(table, PrefixTable), table
    return dict(table)


def test_costs_are_read_exactly() -> None:
    found = prices(b"41,0.045,Switzerland\n4179,.1,Swisscom\n44,3,\n")
    assert found == {
        "41": Price(Decimal("0.045"), "Switzerland"),
        "4179": Price(Decimal("0.1"), "Swisscom"),
        "44": Price(Decimal(3), ""),
    }


def test_outlets_are_read() -> None:
    table = read_routes(b"prefix,outlet,name\n41,a,x\n4179,b,y\n")
    assert isinstance(table, PrefixTable)
    assert table.get("41791234567") == Route("b", "y")
    assert table.get("4178") == Route("a", "x")
    assert table.get("49") is None


def test_the_patient_way_reads_the_same() -> None:
    plain = b"41,0.045,Swiss\n4179,0.1,Swisscom\n"
    for written in (
        plain,
        plain.replace(b"\n", b"\r\n"),
        plain.replace(b"\n", b"\r"),  # old Macintosh
        plain.replace(b"\n", b"\r", 1),
        plain[:-1],  # no line feed at the end
        b"\xef\xbb\xbf" + plain,
        b"Prefix,Cost,Name\n" + plain,
        b"# prices of today\n\n" + plain,
        b" prefix,cost,name\n" + plain,
        b'\xef\xbb\xbf"prefix","cost","name"\r\n' + plain,
        b"# prices of today\n \nprefix,cost,name\n" + plain,
        b"41, 0.045, Swiss\n4179,0.1 ,Swisscom \n",
        b'41,0.045,"Swiss"\n 4179 , 0.1 , Swisscom \n',
        b"4179,0.1,Swisscom\n41,0.045,Swiss\n",
    ):
        assert prices(written) == prices(plain), written


def test_a_name_may_be_left_out_or_hold_commas() -> None:
    assert prices(b"41,1\n")["41"].name == ""
    assert prices(b'41,1,"Swiss, all"\n')["41"].name == "Swiss, all"


def test_every_mistake_has_its_line() -> None:
    assert read_prices(
        b"prefix,cost,name\n+41,1,x\n41,1,x\n41,2,x\n42,x,x\n43,NaN,x\n44,1,2,3\n"
    ) == [
        CsvError(2, "expected a prefix of digits, found '+41'"),
        CsvError(4, "prefix '41' stands on line 3 too"),
        CsvError(5, "expected a cost like 0.045, found 'x'"),
        CsvError(6, "expected a cost from 0 to 1000000000000000, found 'NaN'"),
        CsvError(7, "expected prefix, value and name, found 4 cells: '44,1,2,3'"),
    ]
    assert read_routes(b"41,,x\n") == [CsvError(1, "expected an outlet behind the prefix")]
    assert read_prices(b"41,1,x\n42,\xff,x\n") == [CsvError(2, "not UTF-8")]
    assert read_prices(b"\n# nothing\n") == [CsvError(0, "holds no prefix")]
    assert read_prices(b"") == [CsvError(0, "holds no prefix")]


def test_a_cost_is_a_plain_number() -> None:
    for cost in ("1_000", "\u0663", "1e999999"):
        errors = read_prices(f"# today\n\nprefix,cost\n41,{cost},x\n".encode())
        assert isinstance(errors, list), cost
        assert errors[0].line == 4
        assert errors[0].why.endswith(f"found {cost!r}")


def test_an_outlet_that_there_is_not_has_its_line() -> None:
    assert read_routes(b"41,a,x\n42,c,y\n", {"a", "b"}) == [
        CsvError(2, "unknown outlet 'c'; there are: a, b")
    ]


def test_a_line_that_is_no_csv_is_a_mistake() -> None:
    assert read_prices(b"41,1\n42,1," + b"x" * 200_000 + b"\n") == [
        CsvError(
            2,
            "not CSV: field larger than field limit (131072); see whether the line is damaged",
        )
    ]


def test_a_file_of_another_kind_is_not_told_line_by_line() -> None:
    errors = read_prices(b"x\n" * 1000)
    assert isinstance(errors, list)
    assert len(errors) == 21
    assert errors[-1].line == 0


names = st.text("abc ,\"'", max_size=4)
tables = st.dictionaries(
    st.text("019", min_size=1, max_size=4), st.tuples(st.integers(0, 99), names)
)


@given(tables, st.booleans())
def test_what_is_written_is_read(table: dict[str, tuple[int, str]], has_heading: bool) -> None:
    if not table:
        return
    lines = ["prefix,cost,name"] if has_heading else []
    lines += [
        f'{prefix},{cost},"{name.replace(chr(34), chr(34) * 2)}"'
        for prefix, (cost, name) in table.items()
    ]
    wanted = {prefix: Price(Decimal(cost), name.strip()) for prefix, (cost, name) in table.items()}
    assert prices("\n".join(lines).encode()) == wanted
