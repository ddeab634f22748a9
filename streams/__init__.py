"""Stream processors and sink: signals to stories, to windows, to noise scores, to whoever looks at them."""
