"""Patch documents applied to resources: pure functions from (resource, patch) to a new resource."""
