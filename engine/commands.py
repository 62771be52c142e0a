"""Everything a person can do, by its verb. A command takes the transaction first and never commits;
`engine.desk.perform` does."""

from engine.clearing import apply_for_name, apply_for_text, decide_clearing
from engine.confirming import confirm
from engine.desk import Entry, TodoRef, perform
from engine.moving import acknowledge, acknowledge_many, decide, submit
from engine.reporting import report, report_round
from engine.urging import urge

__all__ = [
    "Entry",
    "TodoRef",
    "acknowledge",
    "acknowledge_many",
    "apply_for_name",
    "apply_for_text",
    "confirm",
    "decide",
    "decide_clearing",
    "perform",
    "report",
    "report_round",
    "submit",
    "urge",
]
