"""What Flow can do, to look at and to run."""
