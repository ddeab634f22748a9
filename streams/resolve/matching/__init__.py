"""Decides which posts are one story. Pure: no Kafka, no clock, and no I/O except beat files and the model."""
