"""SMPP protocol data units and short message text; pure, imports nothing of ours."""
