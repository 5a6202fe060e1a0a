"""Callbacks: the shapes in which clients hear of receipts and MO messages by HTTP."""
