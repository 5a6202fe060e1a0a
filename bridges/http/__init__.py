"""HTTP in: one server, many dialects."""
