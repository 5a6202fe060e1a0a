"""The SMPP session as a sans-IO machine."""
