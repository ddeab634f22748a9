"""What every stage is built on: watermark, de-duplication window, watchdog and metrics."""
