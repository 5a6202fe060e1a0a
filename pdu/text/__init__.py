"""The alphabets of short messages, their packing, parting and joining."""
