"""The monitoring service: poller, result store, reports and a dashboard on port 5001."""
