"""Passwords: Argon2id by the second recommendation of RFC 9106 (64 MiB, three passes, four lanes)."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)
_QUICK = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1, type=Type.ID)
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that looks like another
# Verified when no such account exists, so that the time an answer takes does not tell which accounts do.
_NOBODY = HASHER.hash("nobody")


def hashed(password: str) -> str:
    return HASHER.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; without a hash the answer is no, and takes as long."""
    try:
        HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def rehashed(password_hash: str, password: str) -> str | None:
    """The password hashed by today's parameters, where the stored hash was made by others."""
    return hashed(password) if HASHER.check_needs_rehash(password_hash) else None


def made() -> str:
    """A password for somebody else, to be read from a slip of paper and changed at the first log-in (79 bits)."""
    letters = "".join(secrets.choice(_READABLE) for _ in range(16))
    return "-".join(letters[n : n + 4] for n in range(0, 16, 4))


def hashed_made(password: str) -> str:
    """A made password hashed in few milliseconds: nobody guesses one, and a table of people has hundreds."""
    return _QUICK.hash(password)
