"""Routing: which outlets a message may take, and why; pure, imports only `pdu`."""
