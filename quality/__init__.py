"""What good data is: the canonical model, mappings onto it, normalisation and identity. Pure; no I/O, no vendor."""
