"""What every backend must hold: subclass StoreContract, give it `open`, and pytest runs the lot.

Each test is a sentence of fhir_server/store/protocol.py.
"""

from tests.fhir_server.store.contracts.access import Access
from tests.fhir_server.store.contracts.changes import ChangesAndFiling
from tests.fhir_server.store.contracts.conflicts import Conflicts
from tests.fhir_server.store.contracts.history import History
from tests.fhir_server.store.contracts.snapshots import Snapshots
from tests.fhir_server.store.contracts.upkeep import Upkeep
from tests.fhir_server.store.contracts.versions import Versions


class StoreContract(Versions, Conflicts, Snapshots, History, ChangesAndFiling, Access, Upkeep):
    """Subclasses say how their store is opened."""
