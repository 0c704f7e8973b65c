"""The studio: the pages of `popcon serve`, drawn here and kept live by htmx. docs/studio.md shows them."""
