"""How loud a story is: factors, composite, decay, bands, lifecycle and spikes, as pure functions and values.

No I/O, no clock, no Kafka; imports nothing else of Hubbub's.
"""
