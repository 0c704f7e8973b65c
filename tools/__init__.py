"""Scripts for the project itself: they draw its characters and its pages."""
