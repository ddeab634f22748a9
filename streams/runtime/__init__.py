"""What every stage stands on: watermark, de-duplication window, watchdog, metrics."""
