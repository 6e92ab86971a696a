"""Writes the example wijk: compact tables and stories here, FHIR bundles in examples/wijk.

Run `python -m examples.author` after a change; a test compares the committed files byte for byte.
"""
