"""What an operator asks of a running system: doctor, topics, replay, commands, dead letters, explain."""
