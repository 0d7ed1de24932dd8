"""One calculation: which terms, which days, for what purpose."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

#: Length of a window in months; 0: the contract's own days.
MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12, "contract": 0, "rolling": 1}
GROWTH = ("growth_index", "growth_rate", "growth_amount")


@dataclass(frozen=True)
class Term:
    """A version on the days on which it decides."""

    version: Any
    start: date
    end: date | None
    first_day: date  # earlier lines are looked at too: they are compared with, or added up, and earn nothing

    @property
    def months(self):
        return MONTHS[self.version.window_type]


@dataclass
class Run:
    """What is calculated. `tables` keeps the relations; see `relations.py`."""

    terms: list
    date_to: date
    tables: Any
    date_from: date | None = None
    purpose: str = "rebate"  # or "provision": which reductions apply
    #: Writing: relation of the source lines to look at (`basis`, `source_id`), None for all.
    changed: Any = None
    has_few: bool = False  # so few of them that each is looked up
    block: tuple | None = None  # (number, count): only pools of this block of members
    pools: tuple | None = None  # ids: only these pools
    remembers: bool = False  # whether entries exist that may keep a line in the scope that it has left
    prefix: str = ""  # of the names of relations: rounds of one statement keep theirs apart
    names: dict = field(default_factory=dict)  # of relations that later stages read

    @property
    def versions(self):
        first = self.terms[0].version
        return first.union(*(term.version for term in self.terms))

    @property
    def programs(self):
        return self.versions.program_id

    def among_changed(self, source_id):
        """Condition: the id may be one of the changed lines'. An array is looked up by index, whatever the planner
        thinks of the rest; EXISTS says the same of more lines.
        """
        if not self.has_few:
            return SQL("TRUE")
        return SQL("%s = ANY (ARRAY(SELECT source_id FROM %s))", source_id, self.changed)

    @property
    def buyers(self):
        """Ids of the only partners whose lines matter, None where others' lines count for the pools too."""
        if self.pools and all(v.payee_kind == "member" and v.distribution == "holder" for v in self.versions):
            return list(self.pools)
        return None

    def in_block(self, pool_id):
        """Condition: the pool belongs to the block, or to the pools, that are calculated."""
        if self.pools:
            return SQL("%s = ANY(%s)", pool_id, list(self.pools))
        if not self.block:
            return SQL("TRUE")
        number, count = self.block
        return SQL("mod(%s, %s) = %s", pool_id, count, number)

    def add(self, name, select, key=None):
        self.names[name] = self.tables.add(f"{self.prefix}{name}", select, key)
        return self.names[name]

    def __getitem__(self, name):
        return self.names[name]


def window_start(day, months):
    """First day of the calendar window that a day lies in."""
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def first_day(version, start):
    """The first day whose lines these terms look at, when they begin on `start`."""
    months = MONTHS[version.window_type]
    if not months:
        return start
    begin = window_start(start, months)
    back = 0
    if version.window_type == "rolling":
        back = version.rolling_months - 1
    elif version.tier_measure in GROWTH or version.earning_base == "growth" or version.kind == "formula":
        back = {"year": 12, "previous": months, "figure": 0}[version.baseline_source]
    if not back and version.first_window != "prior":
        return start
    return begin - relativedelta(months=back)
