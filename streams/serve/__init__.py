"""The sink seen: API, WebSocket and page over the score topics, which it reads like any other consumer."""
