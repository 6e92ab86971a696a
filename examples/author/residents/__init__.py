"""The twelve residents, one module each: a `dossier()` that tells one life in resources."""
