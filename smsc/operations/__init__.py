"""Requests about messages, other than to submit one: from each PDU to what the flow does of it."""
