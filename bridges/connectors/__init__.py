"""Connectors: online SMS services as outlets; `kinds` lists them."""
