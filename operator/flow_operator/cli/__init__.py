"""`kubectl flow`: what a person sees of runs, and what they can do about them."""
