"""Tokens, their scopes, and the commands that create, list and revoke them."""
