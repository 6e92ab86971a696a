"""The authorization server: who may log in, which apps may ask, what they were granted, and the tokens that come of it.

https://hl7.org/fhir/smart-app-launch/STU2.2/, https://datatracker.ietf.org/doc/html/rfc9700
"""
