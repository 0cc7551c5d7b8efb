"""How predictions are asked for: routes, WebSockets, the page, and the server that runs them."""
