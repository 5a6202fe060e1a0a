"""The usual way, to compare with: smpplib, one session, one message at a time.

*In*: a port. *Out*: messages a second. *Never*: part of the load client.
"""

import logging
import time
from typing import Any

import smpplib.client
import smpplib.consts


def one_at_a_time(port: int, system_id: str, password: str, seconds: float) -> float:
    """Send, wait for the answer, send the next; messages accepted a second."""
    logging.getLogger("smpp").setLevel(logging.CRITICAL)
    client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
    accepted: list[int] = []

    def answered(pdu: Any) -> None:
        accepted.append(pdu.sequence)

    client.set_message_sent_handler(answered)
    client.connect()
    client.bind_transmitter(system_id=system_id, password=password)
    started = time.perf_counter()
    sent = 0
    while time.perf_counter() - started < seconds:
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
            source_addr="Load",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr="41790000000",
            short_message=b"Your parcel arrives today between 14:00 and 16:00.",
        )
        sent += 1
        while len(accepted) < sent:
            client.read_once()
    took = time.perf_counter() - started
    client.unbind()
    client.disconnect()
    return len(accepted) / took
