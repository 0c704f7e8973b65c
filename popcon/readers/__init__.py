"""Readers of finished files: our own, which believe nothing and explain everything, and the libraries' (`decoded`)."""
