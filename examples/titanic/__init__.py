"""A model of who survived the Titanic, served over REST and WebSocket, and monitored by groups of passengers."""
