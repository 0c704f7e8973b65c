"""The HTTP API: `starter.api.app` makes it, docs/api.md tells what it answers."""
