"""The HTTP or HTTPS server of a service: connections, request bodies and the certificate."""
