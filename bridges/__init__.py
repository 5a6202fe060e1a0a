"""Bridges: the gateway's doors to other worlds, HTTP in, carriers and callbacks out."""
