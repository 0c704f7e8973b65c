"""The encoder: matted frames become a finished animation under a platform's limit of bytes. Plain Python, no I/O."""

from activities.encoder.search import Encoding, encode, encode_framed

# Counts up with every change that makes other files of the same frames: results of an older one are made anew.
VERSION = 2

__all__ = ["VERSION", "Encoding", "encode", "encode_framed"]
