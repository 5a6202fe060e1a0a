"""What is another in a new configuration, and whether that can be so while the gateway runs.

*In*: two configurations. *Out*: values; for what cannot change live, sentences.
*Never*: an effect.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from smsc.config import Config
from smsc.message import OutletName

_ALL: Final[frozenset[str]] = frozenset({"*"})
_LIVE: Final[Mapping[str, frozenset[str]]] = {
    "node": frozenset({"watch_config"}),
    "store": frozenset({"history_keep_s"}),
    "http": frozenset({"callback_networks"}),
    "smpp": _ALL,
    "log": frozenset({"level"}),
    "accounts": _ALL,
    "credit": _ALL,
    "inbox": _ALL,
    "mail": _ALL,
    "distribution_lists": _ALL,
    "outlets": _ALL,
    "routing": _ALL,
    "mo_routes": _ALL,
}
"""The sections, and keys of them, that a reload takes over. All others need a restart."""
_NEVER: Final = frozenset({("smpp", "listen"), ("smpp", "listen_tls")})


def fixed(old: Config, new: Config) -> list[str]:
    """A sentence for each difference that cannot be while the gateway runs."""
    sentences: list[str] = []
    for section in attrs.fields(Config):
        before, after = getattr(old, section.name), getattr(new, section.name)
        if not section.eq or before == after:
            continue
        live = _LIVE.get(section.name, frozenset())
        if not attrs.has(type(before)) or after is None:
            if live is not _ALL:
                sentences.append(_sentence(f"[{section.name}]"))
            continue
        for key in attrs.fields(type(before)):
            is_live = (live is _ALL or key.name in live) and (section.name, key.name) not in _NEVER
            was, is_ = getattr(before, key.name), getattr(after, key.name)
            if was != is_ and not is_live:
                sentences.append(_sentence(f"{section.name}.{key.name}", was, is_))
    return sentences


def _sentence(key: str, *values: object) -> str:
    shown = f" (from {_shown(values[0])} to {_shown(values[1])})" if values else ""
    return f"{key} cannot change while the gateway runs{shown}: restart it, or put it back"


def _shown(value: object) -> str:
    listed = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return listed or "nothing"


@attrs.frozen(kw_only=True)
class OutletNames:
    """What becomes of outlets, by name; those that are in none of these go on as they are."""

    added: tuple[OutletName, ...]
    replaced: tuple[OutletName, ...]
    retuned: tuple[OutletName, ...]
    """Only what follows their errors is another."""
    removed: tuple[OutletName, ...]


def outlet_names(old: Config, new: Config) -> OutletNames:
    """Compare the outlets."""
    before, after = old.outlets, new.outlets
    changed = [name for name in after if name in before and before[name] != after[name]]
    retuned = [name for name in changed if _is_retuned(before[name], after[name])]
    return OutletNames(
        added=_names(name for name in after if name not in before),
        replaced=_names(name for name in changed if name not in retuned),
        retuned=_names(retuned),
        removed=_names(name for name in before if name not in after),
    )


def _is_retuned(before: Any, after: Any) -> bool:
    """Is nothing another but how errors are judged and when messages come again?"""
    same_retry = attrs.evolve(after.flow, retry=before.flow.retry)
    return bool(attrs.evolve(after, flow=same_retry) == before)


def _names(names: Any) -> tuple[OutletName, ...]:
    return tuple(map(OutletName, names))
