"""Who may speak: accounts and their passwords."""
