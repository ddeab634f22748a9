"""Which posts are one story. Pure: no Kafka, no clock, no I/O but the files of the package."""
