"""The directory file: everything that may be found without a token.

GF Adressering (IHE mCSD): https://profiles.ihe.net/ITI/mCSD/
"""

from examples.author import locations, organizations, practitioners, services
from examples.author.elements import Json


def resources() -> list[Json]:
    return [*organizations.resources(), *locations.resources(), *services.resources(), *practitioners.resources()]
