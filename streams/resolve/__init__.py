"""Which story does a signal belong to?"""
