"""Deterministic orchestration only: the set and the rendering of one emoji."""
