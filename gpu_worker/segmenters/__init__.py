"""Segmenters: each finds what a person pointed at, all by one protocol."""
