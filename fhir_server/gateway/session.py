"""A Session: what one requester can ask of the store, each answer decided and audited.

https://hl7.org/fhir/R4/security.html
"""


class Session:
    """The only way from a request to stored resources; a request holds a Session, never a store."""
