"""Whether a revocation counts on the very next request, of every worker, and what that request takes longer."""

import statistics
from dataclasses import dataclass, field

from tests.performance.asking import Answer, Connection, one_to_each
from tests.performance.consenting import PATIENT_TOKEN, TOKEN, prepare
from tests.performance.measure import METADATA, Row, Scale, serve_arguments
from tests.performance.server_process import serving
from tests.performance.stores import Wijk

WORKERS = 2
_OTHERS = 5  # requests after the first


@dataclass(slots=True)
class Obeyed:
    """Of the first requests after a change: how many there were, how many obeyed, what they and the others took."""

    asked: int = 0
    obeyed: int = 0
    first_ms: dict[str, list[float]] = field(default_factory=dict)
    other_ms: dict[str, list[float]] = field(default_factory=dict)


def rows(wijk: Wijk, scale: Scale) -> list[Row]:
    prepare(wijk)
    arguments = [*serve_arguments(wijk.ruled, "deny"), "--workers", str(WORKERS)]
    with serving(arguments, METADATA) as server:
        workers = one_to_each(server, TOKEN, WORKERS)
        patient = Connection(server, PATIENT_TOKEN)
        found = measure(wijk, workers, patient, scale.revocations)
        for connection in (*workers, patient):
            connection.close()
    first, others = (
        {kind: statistics.median(times) for kind, times in several.items()}
        for several in (found.first_ms, found.other_ms)
    )
    return [
        Row(
            f"a Consent revoked, and given again, on the next request of each of {WORKERS} workers",
            "always",
            f"{found.obeyed} of {found.asked}",
            found.obeyed / found.asked,
            "; ".join(f"first {kind} after {first[kind]:.1f} ms, others {others[kind]:.1f} ms" for kind in first),
        )
    ]


def measure(wijk: Wijk, workers: list[Connection], patient: Connection, times: int) -> Obeyed:
    """The first patient takes their Consent back and gives it again, so many times.

    Raises RuntimeError if that is refused, or what is asked for could not be seen in the first place.
    """
    who = wijk.patients[0]
    urls = {"read": f"/fhir/Patient/{who}", "search": f"/fhir/Patient?_id={who}"}
    found = Obeyed()
    for kind, url in urls.items():
        if not all(_shown(worker.get(url)) for worker in workers):
            raise RuntimeError(f"the {kind} shows nothing that could be taken back")
    for number in range(times):
        kind = list(urls)[number % len(urls)]
        for status in ("inactive", "active"):
            consent = wijk.consent(who, status=status)
            if (answer := patient.put(f"/fhir/Consent/{consent['id']}", consent)).status != 200:
                raise RuntimeError(f"a Consent was answered with {answer.status}")
            for worker in workers:
                first = worker.get(urls[kind])
                found.asked += 1
                found.obeyed += _shown(first) == (status == "active")
                found.first_ms.setdefault(kind, []).append(first.ms)
            for worker in workers:
                found.other_ms.setdefault(kind, []).extend([worker.get(urls[kind]).ms for _ in range(_OTHERS)])
    return found


def _shown(answer: Answer) -> bool:
    if answer.status == 404:
        return False
    if answer.status != 200:
        raise RuntimeError(f"a request was answered with {answer.status}")
    return answer.json["resourceType"] == "Patient" or bool(answer.json.get("entry"))
