"""Work on a CPU or the network: animators, frame extraction, encoding, packaging."""
