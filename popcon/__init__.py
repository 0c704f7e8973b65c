"""The shared words of popcon: models, presets, platforms, settings, object keys, storage."""
