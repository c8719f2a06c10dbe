"""Credentials at rest: key ring, envelope, the proof that the key is the right one, stores and rotation."""
