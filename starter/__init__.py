"""How people and programs get in: typed client, CLI and the embedded stack."""
