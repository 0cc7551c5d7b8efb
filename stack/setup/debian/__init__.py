"""What comes from packages of Debian and Ubuntu."""
