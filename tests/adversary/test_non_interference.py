"""Non-interference: a server that holds what is hidden and one that never had it answer every request alike.

Hypothesis makes up the requests: every route, chains and includes and conditions through what is hidden, pages to the
end, cursors of others, writes, and what comes after them. The two servers are the whole application on real stores.
"""

import os

import pytest

from fhir_server.interactions.routes import ROUTES
from tests.adversary.comparing import Template
from tests.adversary.dossiers import KINDS, STEPS, pair
from tests.adversary.pools import chunks, pool
from tests.adversary.questions import BY_ROUTE, asks

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
RUNS = int(os.environ.get("WIJKDOSSIER_RUNS", "400" if LONG else "8"))
ASKS = 20
SEED = int(os.environ.get("WIJKDOSSIER_SEED", "0"))


def test_every_route_is_asked() -> None:
    assert {(route.method, route.pattern) for route in ROUTES} == set(BY_ROUTE)


@pytest.fixture(scope="module", params=KINDS)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    kind = KINDS[request.param]
    reads_log = kind.terms is not None and kind.terms.user.startswith("Patient/") and "*" in kind.terms.scope
    steps = [step for step in STEPS if not (reads_log and step.audience == "moved")]
    return Template(tmp_path_factory.mktemp("pair"), pair(kind, steps))


def test_what_is_hidden_makes_no_difference(template: Template) -> None:
    for questions in chunks(pool(asks, RUNS * ASKS, SEED), ASKS):
        template.check(questions)
