"""Dialects: pure translations between an HTTP interface and Drafts."""
