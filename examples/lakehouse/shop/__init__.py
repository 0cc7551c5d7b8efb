"""The shop: its simulated orders, the API that tells of them, and the poller that stores them in its database."""
