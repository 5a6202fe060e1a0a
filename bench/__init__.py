"""Benchmarks and the load client."""
