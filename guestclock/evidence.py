"""How a value is known: observed, inferred, assumed, or unknown with a reason.

Every value that a verdict rests on travels as a `Fact`, so that a report can say where it was
read and a reader can judge it. `Unknown` is a value of its own: it says why nothing is known and
what would settle it, and it is never replaced by a silent default such as UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Observed(Generic[T_co]):
    """A value that was read; `where` is the place (an XML path, a file, a QMP query)."""

    value: T_co
    where: str


@dataclass(frozen=True, slots=True)
class Inferred(Generic[T_co]):
    """A value that follows from others by a rule; `where` names the rule and its inputs."""

    value: T_co
    where: str


@dataclass(frozen=True, slots=True)
class Assumed(Generic[T_co]):
    """A value that someone stated or that a default supplies; `where` says who or which."""

    value: T_co
    where: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known: `reason` says why, `settle` the cheapest way to find out."""

    reason: str
    settle: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.settle}" if self.settle else self.reason


Known: TypeAlias = Observed[T] | Inferred[T] | Assumed[T]
Fact: TypeAlias = Observed[T] | Inferred[T] | Assumed[T] | Unknown


def value_of(fact: Fact[T]) -> T | None:
    """The value of a known fact, None of an unknown one."""
    return None if isinstance(fact, Unknown) else fact.value


def how(fact: Fact[T]) -> str:
    """The word for how a fact was learnt: observed, inferred, assumed or unknown."""
    return type(fact).__name__.lower()


def derive(fact: Fact[T], rule: Callable[[T], U], where: str) -> Fact[U]:
    """What follows from a fact by `rule`; unknown stays unknown, with the same reason."""
    return fact if isinstance(fact, Unknown) else Inferred(rule(fact.value), where)
