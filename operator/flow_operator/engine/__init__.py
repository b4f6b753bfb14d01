"""The decision as a value: what to do next is computed here, and nothing here does anything."""
