"""The custom resources as pydantic models: the only source of the CRDs, of the reference and of every default."""
