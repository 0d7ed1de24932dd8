"""The values that an import passes around, see ``channel.import.mixin``."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class ImportColumn(NamedTuple):
    """A column that an import understands.

    ``name`` is its technical heading and, unless ``field`` says otherwise, the field that it fills. It is found in the
    file under ``name``, under ``label``, and under the translations of ``label`` into the installed languages.
    """

    name: str
    label: Any
    """Heading of the template: a lazily translated text."""
    kind: str = "text"
    """``text``, ``number``, ``integer``, ``date``, ``boolean``, ``selection`` (key or label of the field),
    ``record`` and ``records`` (several in one cell, separated by ``;`` or a line break)."""
    required: bool = False
    resolver: str = ""
    """For records: the method ``_resolve_<resolver>(texts)`` of the import."""
    example: str = ""
    help: Any = ""
    field: str = ""


class ImportProblem(NamedTuple):
    """Why a row is not imported. ``code`` is for machines, ``reason`` and ``remedy`` for people; ``column`` is the name
    of an :class:`ImportColumn` or empty when it concerns the row as a whole."""

    row: int
    column: str
    value: str
    code: str
    reason: str
    remedy: str = ""


@dataclass
class ImportEntry:
    """A row on its way. ``cells`` is what the file says, ``values`` what was understood (by column; blank cells are
    left out; records as recordsets), ``record`` what it will change, ``vals`` what will be written."""

    number: int
    cells: dict
    values: dict = field(default_factory=dict)
    key: Any = None
    record: Any = None
    vals: dict = field(default_factory=dict)


@dataclass
class ImportPlan:
    """What applying a file would do."""

    table: Any
    creates: list = field(default_factory=list)
    updates: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    fingerprint: str = ""

    @property
    def rejected(self):
        """:return: numbers of the rows that are not applied"""
        return {problem.row for problem in self.problems}
