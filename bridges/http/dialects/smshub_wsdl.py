"""The WSDL of the SMSHub dialect: SOAP 1.1, rpc/literal, at the address it was asked for.

*In*: the URL of the service. *Out*: the document. *Never*: what an operation means.

The original's file is not public. This one follows its documented attributes and its makers' habit:
namespace of the document http://www.rcdevs.com/wsdl/smshub/, of the operations urn:smshub,
SOAPAction = the operation. `status` is a number, for its values are 1 and 2.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

NAMESPACE: Final = "urn:smshub"
MEDIA_TYPE: Final = "text/xml; charset=utf-8"

SEND: Final = (
    "username",
    "password",
    "mobile",
    "text",
    "type",
    "sender",
    "client",
    "source",
    "settings",
)
SIGN: Final = (
    "username",
    "password",
    "mobile",
    "text",
    "timeout",
    "client",
    "source",
    "settings",
)
OPERATIONS: Final[Mapping[str, Sequence[str]]] = {
    "smshubSend": SEND,
    "smshubStatus": (),
    "smssendStatus": (),
    "smshubSign": SIGN,
}
_TYPES: Final = {"mobile": "tns:Mobiles", "code": "xsd:integer", "status": "xsd:integer"}


def document(location: str) -> bytes:
    """The WSDL, with the service at `location`."""
    return _TEMPLATE.format(
        messages="".join(map(_messages, OPERATIONS)),
        ports="".join(map(_port, OPERATIONS)),
        bindings="".join(map(_binding, OPERATIONS)),
        location=quoteattr(location),
    ).encode()


def answer_of(operation: str) -> tuple[str, ...]:
    """What an operation answers with."""
    return ("status", "message") if operation.endswith("Status") else ("code", "error", "message")


def _messages(operation: str) -> str:
    return _message(f"{operation}Request", OPERATIONS[operation]) + _message(
        f"{operation}Response", answer_of(operation)
    )


def _message(name: str, parts: Sequence[str]) -> str:
    inside = "".join(
        f'    <part name="{part}" type="{_TYPES.get(part, "xsd:string")}"/>\n' for part in parts
    )
    return f'  <message name="{name}">\n{inside}  </message>\n'


def _port(operation: str) -> str:
    return (
        f'    <operation name="{operation}">\n'
        f'      <input message="tns:{operation}Request"/>\n'
        f'      <output message="tns:{operation}Response"/>\n'
        "    </operation>\n"
    )


def _binding(operation: str) -> str:
    body = f'<soap:body use="literal" namespace="{NAMESPACE}"/>'
    return (
        f'    <operation name="{operation}">\n'
        f'      <soap:operation soapAction="{operation}"/>\n'
        f"      <input>{body}</input>\n"
        f"      <output>{body}</output>\n"
        "    </operation>\n"
    )


_TEMPLATE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<definitions name="smshub" targetNamespace="http://www.rcdevs.com/wsdl/smshub/"
    xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:tns="http://www.rcdevs.com/wsdl/smshub/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types>
    <xsd:schema targetNamespace="http://www.rcdevs.com/wsdl/smshub/"
        elementFormDefault="unqualified">
      <xsd:complexType name="Mobiles">
        <xsd:sequence>
          <xsd:element name="String" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>
        </xsd:sequence>
      </xsd:complexType>
    </xsd:schema>
  </types>
{messages}  <portType name="smshubPortType">
{ports}  </portType>
  <binding name="smshubBinding" type="tns:smshubPortType">
    <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
{bindings}  </binding>
  <service name="smshubService">
    <port name="smshubPort" binding="tns:smshubBinding">
      <soap:address location={location}/>
    </port>
  </service>
</definitions>
"""
