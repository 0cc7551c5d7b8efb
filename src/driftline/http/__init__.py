"""The web server that every service shares: requests, tokens, limits, TLS, health and the API's description."""
