"""The Kafka floor: consumers, producers, topic readers, offsets, fencing, partitioning and the topics themselves."""
