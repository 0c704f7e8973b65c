"""Data files that people may read and edit: presets and platforms."""
