"""Two saved results side by side: `python -m bench.compare BEFORE.json AFTER.json`.

*In*: files that `python -m bench --save` wrote. *Out*: each figure before, after, and the ratio.
*Never*: a verdict: the machines and their load stand above the table, people judge.
"""

import argparse
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

_FACTS: Final = ("date", "commit", "cpu", "cores", "python", "kernel", "file_system", "load_before")


def comparison(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """Facts that differ, then every figure that both have."""
    table = Table("", "before", "after", "ratio")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in _FACTS:
        one, other = before["machine"].get(name), after["machine"].get(name)
        if one != other:
            table.add_row(name, str(one), str(other))
    for what, figures in before["end_to_end"].items():
        table.add_section()
        for name, figure in figures.items():
            other = after["end_to_end"].get(what, {}).get(name)
            if figure is not None and other is not None:
                ratio = f"{other / figure:.2f}" if figure else ""
                table.add_row(f"{what}: {name}", f"{figure:,.1f}", f"{other:,.1f}", ratio)
    return table


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    read = [orjson.loads(file.read_bytes()) for file in (options.before, options.after)]
    Console().print(comparison(*read))


if __name__ == "__main__":
    main()
