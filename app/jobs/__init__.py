"""Jobs: the queue on the GUI thread and the worker thread that drives a Backend."""
