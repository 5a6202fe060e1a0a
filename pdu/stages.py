"""How the generated codec cuts a table: into stages, and a stage into runs of fields.

*In*: a table.
*Out*: stages; each ends at a counted field, the last perhaps at the end of the table.
*Never*: source text: see :mod:`pdu.generate_decoder`, :mod:`pdu.generate_encoder`.

A run of several fields is a *piece*: it hardly varies from message to message, so its values
are read once and looked up from then on. A string that does vary stands alone.
"""

import linecache
from collections.abc import Callable
from typing import Any, Final

from pdu.commands import Command
from pdu.fields import COctetString, CountedOctets, Field, Group, Table, TimeString

Run = tuple[Field, ...]

# Where every message counts, the one string that varies: the handset's number.
# Elsewhere every string is taken to vary.
_VARYING: Final[dict[int, str]] = {
    Command.SUBMIT_SM: "destination_addr",
    Command.DELIVER_SM: "source_addr",
}


def stages_of(table: Table) -> list[tuple[list[Run], Field | None]]:
    """(runs, counted field or None) of each stage, in wire order."""
    stages: list[tuple[list[Run], Field | None]] = []
    runs: list[Run] = []
    run: list[Field] = []
    for field in table.fields:
        counted = isinstance(field.kind, CountedOctets | Group)
        varies = _varies(table, field)
        if counted or varies:
            if run:
                runs.append(tuple(run))
            run = []
        if counted:
            stages.append((runs, field))
            runs = []
        elif varies:
            runs.append((field,))
        else:
            run.append(field)
    if run:
        runs.append(tuple(run))
    if runs:
        stages.append((runs, None))
    return stages


def stands_alone(run: Run) -> bool:
    """The run is one string, captured without its NUL."""
    return len(run) == 1 and isinstance(run[0].kind, COctetString | TimeString)


def _varies(table: Table, field: Field) -> bool:
    varying = _VARYING.get(table.command_id)
    if varying is not None:
        return field.name == varying
    return isinstance(field.kind, COctetString | TimeString) and field.name != "service_type"


def compile_function(name: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
    """Make the function ``name`` of its source; tracebacks and debuggers show that source."""
    filename = f"<generated {name}>"
    namespace = dict(names)
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102  # text written from our tables
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    made: Callable[..., Any] = namespace[name]
    return made
