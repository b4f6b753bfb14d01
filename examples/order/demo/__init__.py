"""The demo: seven orders on a real API server, run and undone before your eyes, and checked."""
