"""Counts and times for Prometheus: interactions and statuses only, never a type of person, an id or a parameter.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """One per process; with several workers their figures are added up through files in PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self, several_workers: bool) -> None:
        self._several_workers = several_workers
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "wijkdossier_requests", "FHIR requests", ("interaction", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "wijkdossier_request_seconds",
            "Time to answer a FHIR request",
            ("interaction",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._children: dict[tuple[str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def observe(self, interaction: str, status: int, seconds: float) -> None:
        key = (interaction, status)
        children = self._children.get(key)
        if children is None:
            counter = self._requests.labels(interaction, str(status))
            children = self._children[key] = (counter.inc, self._seconds.labels(interaction).observe)
        children[0]()
        children[1](seconds)

    def exposition(self) -> tuple[bytes, str]:
        """The text for a scrape, and its content type."""
        registry = self._registry
        if self._several_workers:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
