"""Non-interference: a server that holds what is hidden and one that never had it answer every request alike.

Hypothesis makes up the requests: every route, chains and includes and conditions through what is hidden, pages to the
end, cursors of others, writes, and what comes after them. The two servers are the whole application on real stores.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhir_server.interactions.routes import ROUTES
from tests.adversary.comparing import Template
from tests.adversary.dossiers import KINDS, STEPS, pair
from tests.adversary.questions import BY_ROUTE, asks
from tests.adversary.surface import Ask

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
RUNS = int(os.environ.get("WIJKDOSSIER_RUNS", "400" if LONG else "8"))
ASKS_MAX = 20


def test_every_route_is_asked() -> None:
    assert {(route.method, route.pattern) for route in ROUTES} == set(BY_ROUTE)


@pytest.fixture(scope="module", params=KINDS)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    kind = KINDS[request.param]
    reads_log = kind.terms is not None and kind.terms.user.startswith("Patient/") and "*" in kind.terms.scope
    steps = [step for step in STEPS if not (reads_log and step.audience == "moved")]
    return Template(tmp_path_factory.mktemp("pair"), pair(kind, steps))


def test_what_is_hidden_makes_no_difference(template: Template) -> None:
    @settings(
        max_examples=RUNS,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # what fails is cut down by `check`, a good deal sooner
    )
    @given(st.lists(asks, min_size=ASKS_MAX // 2, max_size=ASKS_MAX))
    def alike(questions: list[Ask]) -> None:
        template.check(questions)

    alike()
