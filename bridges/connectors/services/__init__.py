"""One pure file for each online SMS service: requests out of messages, verdicts out of answers."""
