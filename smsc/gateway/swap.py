"""A new configuration handed to the rooms, in one step of the loop.

*In*: the rooms, a checked configuration. *Out*: rooms that follow it from the next message on.
*Never*: a wait, or anything that can fail: then some rooms would follow the old one.
Outlets are not here: they take time to go, see `outlet_keeper`.
"""

import attrs

from smsc import logs
from smsc.config import Config
from smsc.directory.tariff import Tariff
from smsc.gateway.rooms import Rooms
from smsc.reception import certificates_of
from smsc.tls import Certificates


@attrs.frozen
class Prepared:
    """A configuration, and what was read of the files that it names."""

    config: Config
    tariff: Tariff
    certificates: Certificates | None


def prepare(config: Config) -> Prepared | str:
    """Read what can fail to be read; a sentence if it does. Takes its time: call it in a thread."""
    tariff = config.tariff()
    if isinstance(tariff, list):
        return f"credit.prices: {tariff[0].why}"
    try:
        return Prepared(config, tariff, certificates_of(config.smpp))
    except OSError as error:
        return f"smpp.tls_cert: the certificates cannot be used: {error}"


def swap(rooms: Rooms, prepared: Prepared) -> tuple[str, ...]:
    """Hand it over; the accounts that are new, changed or gone."""
    new = prepared.config
    rooms.config = new
    logs.set_level(new.log.level)
    rooms.guide.take_rules(new.routing_table(), new.velocity(rooms.guide.guards))
    rooms.inbound.routes = new.mo_table()
    rooms.inbound.has_sandbox = new.inbox.sandbox
    rooms.desk.lists = new.distribution_lists
    canned = new.smpp.default_messages
    rooms.intake.default_messages = rooms.commands.default_messages = canned
    rooms.transactions.timeout_s = new.smpp.transaction_timeout_s
    rooms.history.keep_s = new.store.history_keep_s
    rooms.credits.take_prices(prepared.tariff, new.credit.refund)
    rooms.forwarding.mail = new.mail
    rooms.inbox.take_limits(new.inbox.keep_s, new.inbox.limit)
    rooms.server.take_config(new.smpp, prepared.certificates)
    return rooms.directory.reload(new.accounts, new.inherited())
