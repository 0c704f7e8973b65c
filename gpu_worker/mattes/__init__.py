"""Matte models: each gives pictures their alpha, all by one protocol."""
