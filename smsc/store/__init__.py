"""The store: LMDB on disk, memory in tests, one contract."""
