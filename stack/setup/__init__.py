"""What `make setup` fetches and installs."""
