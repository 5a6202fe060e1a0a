"""The SMSC: sessions, intake, store and flow; `docs/tour.md` walks through it."""
