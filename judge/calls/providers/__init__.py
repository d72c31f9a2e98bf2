"""One file for each way to get an answer."""
