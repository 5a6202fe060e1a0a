"""Session operations: bind, outbind, unbind, enquire_link, generic_nack, alert_notification.

*In*: nothing; these are tables.
*Out*: one class for each PDU, fields in wire order under the names of the specification.
*Never*: a rule about when they may be sent: that is :mod:`pdu.operations`.

SMPP 3.4 §4.1, §4.2, §4.3, §4.11, §4.12; 5.0 §4.1.
"""

from pdu.commands import Command
from pdu.fields import Pdu, bodiless_flag, c_octet_string, pdu, tlv_area, u1
from pdu.status import Status
from pdu.tlvs import Tlvs


@pdu(Command.BIND_TRANSMITTER)
class BindTransmitter(Pdu):
    """bind_transmitter, §4.1.1. Passwords above 8 characters: see :class:`pdu.reference.Habits`."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    password: str = c_octet_string(9, Status.ESME_RINVPASWD, default="")
    system_type: str = c_octet_string(13, Status.ESME_RINVSYSTYP, default="")
    interface_version: int = u1(default=0x34)
    addr_ton: int = u1(default=0)
    addr_npi: int = u1(default=0)
    address_range: str = c_octet_string(41, Status.ESME_RBINDFAIL, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.BIND_TRANSMITTER_RESP, tolerant=True)
class BindTransmitterResp(Pdu):
    """bind_transmitter_resp, §4.1.2. The system_id is the message centre's."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.BIND_RECEIVER)
class BindReceiver(Pdu):
    """bind_receiver, §4.1.3. Passwords above 8 characters: see :class:`pdu.reference.Habits`."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    password: str = c_octet_string(9, Status.ESME_RINVPASWD, default="")
    system_type: str = c_octet_string(13, Status.ESME_RINVSYSTYP, default="")
    interface_version: int = u1(default=0x34)
    addr_ton: int = u1(default=0)
    addr_npi: int = u1(default=0)
    address_range: str = c_octet_string(41, Status.ESME_RBINDFAIL, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.BIND_RECEIVER_RESP, tolerant=True)
class BindReceiverResp(Pdu):
    """bind_receiver_resp, §4.1.4. The system_id is the message centre's."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.BIND_TRANSCEIVER)
class BindTransceiver(Pdu):
    """bind_transceiver, §4.1.5. Passwords above 8 characters: see :class:`pdu.reference.Habits`."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    password: str = c_octet_string(9, Status.ESME_RINVPASWD, default="")
    system_type: str = c_octet_string(13, Status.ESME_RINVSYSTYP, default="")
    interface_version: int = u1(default=0x34)
    addr_ton: int = u1(default=0)
    addr_npi: int = u1(default=0)
    address_range: str = c_octet_string(41, Status.ESME_RBINDFAIL, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.BIND_TRANSCEIVER_RESP, tolerant=True)
class BindTransceiverResp(Pdu):
    """bind_transceiver_resp, §4.1.6. The system_id is the message centre's."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.OUTBIND, tolerant=True)
class Outbind(Pdu):
    """outbind, §4.1.7: the message centre dialled and asks for a bind. Never answered."""

    system_id: str = c_octet_string(16, Status.ESME_RINVSYSID, default="")
    password: str = c_octet_string(9, Status.ESME_RINVPASWD, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.UNBIND)
class Unbind(Pdu):
    """unbind, §4.2.1. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.UNBIND_RESP, tolerant=True)
class UnbindResp(Pdu):
    """unbind_resp, §4.2.2. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.ENQUIRE_LINK)
class EnquireLink(Pdu):
    """enquire_link, §4.11.1. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.ENQUIRE_LINK_RESP, tolerant=True)
class EnquireLinkResp(Pdu):
    """enquire_link_resp, §4.11.2. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.GENERIC_NACK, tolerant=True)
class GenericNack(Pdu):
    """generic_nack, §4.3.1: all it says is in its header. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.ALERT_NOTIFICATION, tolerant=True)
class AlertNotification(Pdu):
    """alert_notification, §4.12.1: a handset can be reached again. Never answered."""

    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, default=0)
    source_addr: str = c_octet_string(65, Status.ESME_RINVSRCADR, default="")
    esme_addr_ton: int = u1(Status.ESME_RINVDSTTON, default=0)
    esme_addr_npi: int = u1(Status.ESME_RINVDSTNPI, default=0)
    esme_addr: str = c_octet_string(65, Status.ESME_RINVDSTADR, default="")
    tlvs: Tlvs = tlv_area(default=())
