"""Everything a person can do, by its verb. A command takes the transaction first and never commits;
`engine.desk.perform` does."""

from engine.adjusting import add_unit, terminate, terminate_item
from engine.amending import amend_due, amend_quota, amend_quotas, amend_share_due, amend_target, amend_text
from engine.clearing import apply_for_name, apply_for_text, decide_clearing
from engine.confirming import confirm_unit
from engine.dating import date_item, end_last, last
from engine.days import decide_days
from engine.deciding import decide, sign_many
from engine.deputies import delegate, end_delegation
from engine.desk import Entry, TodoRef, perform
from engine.handing_over import hand_over, receive
from engine.intakes import IntakeRef, decide_intake, present, propose, register, register_on
from engine.looking import look
from engine.moving import acknowledge, acknowledge_many, submit
from engine.petitions import PetitionRef, answer, dispute, extend, plan_steps
from engine.reorganising import cancel as cancel_change
from engine.reorganising import reorganise
from engine.reporting import check, confirm, correct, enter, report, report_round, settle
from engine.revoking import revoke
from engine.splitting import Part, split
from engine.steps import StepDraft, step_done
from engine.succeeding import reassign
from engine.suspending import resume, suspend
from engine.taking_back import take_back
from engine.urging import Call, copy, hand_on, urge

__all__ = [
    "Call",
    "Entry",
    "IntakeRef",
    "Part",
    "PetitionRef",
    "StepDraft",
    "TodoRef",
    "acknowledge",
    "acknowledge_many",
    "add_unit",
    "amend_due",
    "amend_quota",
    "amend_quotas",
    "amend_share_due",
    "amend_target",
    "amend_text",
    "answer",
    "apply_for_name",
    "apply_for_text",
    "cancel_change",
    "check",
    "confirm",
    "confirm_unit",
    "copy",
    "correct",
    "date_item",
    "decide",
    "decide_clearing",
    "decide_days",
    "decide_intake",
    "delegate",
    "dispute",
    "end_delegation",
    "end_last",
    "enter",
    "extend",
    "hand_on",
    "hand_over",
    "last",
    "look",
    "perform",
    "plan_steps",
    "present",
    "propose",
    "reassign",
    "receive",
    "register",
    "register_on",
    "reorganise",
    "report",
    "report_round",
    "resume",
    "revoke",
    "settle",
    "sign_many",
    "split",
    "step_done",
    "submit",
    "suspend",
    "take_back",
    "terminate",
    "terminate_item",
    "urge",
]
