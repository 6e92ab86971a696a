"""Walkthroughs: small programs that use a running server as its users do, and check what they get."""
