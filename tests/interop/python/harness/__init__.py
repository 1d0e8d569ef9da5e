"""What a scenario runs against: a server that can be killed, and a network that can fail."""
