"""The only writer of projections: what an event does to the tables that pages read, live and in a replay alike.

A handler takes the event and queues writes; it decides nothing and reads nothing but what it updates. A guard that
does not meet exactly one row raises `Stale` when they are sent: somebody was faster, or the log does not fit its
projections.

Importing the package registers the handlers of every kind of event.
"""

from ledger.projections import administration, assignments, clearings, intakes, petitions, rounds, runs, units
from ledger.projections.registry import project, replay

__all__ = [
    "administration",
    "assignments",
    "clearings",
    "intakes",
    "petitions",
    "project",
    "replay",
    "rounds",
    "runs",
    "units",
]
