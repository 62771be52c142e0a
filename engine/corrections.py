"""更正账号资料: a name or an address that was entered wrongly. An administrator puts right those of others; a person
takes a new address by a link that is sent there.

The account is no projection; that it was put right, and what was written before and after, hangs on an event.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from engine.accounts import account_of_ours, tell
from ledger import resets, throttling
from ledger.clearing import CLEARED_NAME
from ledger.database import Tx
from ledger.directory import STREAM, account_faults
from ledger.errors import Conflict, Invalid, NotFound, Refused
from ledger.rules.personal import personal_numbers
from ledger.rules.throttle import Limit
from ledger.schema import AnyRow, message, person
from ledger.throttling import named

HOURS = 24
OFFERS = Limit(tries=3, minutes=30)
ACCOUNT = "/account"


def correct(tx: Tx, person_id: int, name: str, email: str) -> None:
    """An administrator puts the name and the address of an account right; mails that wait go to the new one.

    Raises: Invalid, NotFound, Refused.
    """
    found = account_of_ours(tx, person_id)
    if CLEARED_NAME in (found.name, name):
        raise Refused("此人的姓名已依规清除，不能再填写。")
    if faults := account_faults(found.login, name, email):
        raise Invalid(faults)
    new = {key: said for key, said in (("name", name), ("email", email)) if said != found._mapping[key]}
    if not new:
        raise Refused("姓名和邮箱都没有改动。")
    _put_right(tx, found, new)


def offer_address(tx: Tx, email: str, link: str) -> None:
    """Send a link to the address that the person wants; whoever opens it there has it. Raises: Invalid, Refused."""
    found = _own(tx)
    if fault := account_faults(found.login, found.name, email).get("email"):
        raise Invalid({"email": fault})
    if email == found.email:
        raise Invalid({"email": "这就是现在的邮箱。"})
    if throttling.spend(tx.connection, named("new-address", str(found.id)), OFFERS, tx.recorded_at).until is not None:
        raise Refused(f"申请太频繁，请 {OFFERS.minutes} 分钟后再试。")
    throttling.clear(tx.connection, named("change", str(found.id)))  # the password was right
    tx.record(STREAM, "account.address-offered", {"person": found.id}, {"email": email})
    tx.flush()
    tell(tx, found.id, "address", link, address=email, until=(tx.recorded_at + timedelta(hours=HOURS)).isoformat())


def take_address(tx: Tx, former: str, email: str) -> None:
    """The person has opened the link: mails go to the new address. `former`: the address when it was asked for.

    Raises: Conflict when the address has changed since.
    """
    found = _own(tx)
    if found.email != former:
        raise Conflict("您或管理员", None, "更换了这个账号的邮箱")
    _put_right(tx, found, {"email": email})


def _own(tx: Tx) -> AnyRow:
    mine = select(person).where(person.c.id == tx.actor.person_id, person.c.active).with_for_update()
    found = tx.connection.execute(mine).one_or_none()
    if found is None:
        raise NotFound("没有这个账号，或者它已经停用。")
    return found


def _put_right(tx: Tx, found: AnyRow, new: dict[str, str]) -> None:
    """Both addresses are told. A former one that holds a number of a person does not enter the chain (97)."""
    former = {"old_email": found.email} if "email" in new and not personal_numbers(found.email) else {}
    tx.record(STREAM, "account.corrected", {"person": found.id, "fields": sorted(new)}, {**new, **former})
    tx.flush()
    tx.connection.execute(update(person).where(person.c.id == found.id).values(**new))
    tell(tx, found.id, "corrected", ACCOUNT)
    if "email" in new:
        resets.withdraw(tx, found.id)  # links that went to the former address
        waiting = message.c.person_id == found.id, message.c.state == "queued", message.c.address == found.email
        links = message.c.kind.in_(("reset", "address"))
        tx.connection.execute(update(message).where(*waiting, ~links).values(address=new["email"]))
        tell(tx, found.id, "corrected", ACCOUNT, address=found.email)
