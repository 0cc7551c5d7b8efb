"""Reads stored rows by batch and by chunk, and computes parts of chunks from them."""
