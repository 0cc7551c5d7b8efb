"""Diagrams, pictures of pages, and the documentation site."""
