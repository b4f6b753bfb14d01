"""One module per thing outside the process: services, the API server, clocks, files. Nothing here decides."""
