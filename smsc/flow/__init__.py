"""The flow: intake, dispatch, retry, receipts, deliveries."""
