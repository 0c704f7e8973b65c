"""Measurements: each script prints a table, writes `results/NAME.json` and exits 1 when a check does not hold."""
