"""The encoder: matted frames become a finished animation under a platform's limit of bytes. Plain Python, no I/O."""

from activities.encoder.search import Encoding, encode, encode_framed

__all__ = ["Encoding", "encode", "encode_framed"]
