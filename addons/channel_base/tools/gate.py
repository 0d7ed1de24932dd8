"""What the gate is asked and what it answers.

These are plain values: a document describes itself by them, a check reads them, and neither needs to know
the other. Quantities are in the product's own unit of measure, prices are net of all discounts and of taxes,
per that unit, in the currency of the request.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date as Date
from typing import Any

from odoo.exceptions import UserError

#: What a finding does: ``block`` stops the operation, ``warn`` is shown and stored.
SEVERITIES = ("block", "warn")


@dataclass(eq=False)
class GateLine:
    """One product of a request.

    :param key: what the asker calls this line: a record id, or an index. Comes back in the finding.
    :param product: ``product.product``
    :param float quantity: in ``product.uom_id``
    :param float price_unit: net price per ``product.uom_id`` without tax, or None when the operation has no price
    :param lot: ``stock.lot`` or None
    :param record: the line of the document, or None
    :param float delivered: of an invoice: how much of the quantity has left the warehouse, where the gate judged it
    """

    key: Any
    product: Any
    quantity: float
    price_unit: float | None = None
    lot: Any = None
    record: Any = None
    delivered: float = 0.0


@dataclass(eq=False)
class GateFinding:
    """What one check found on one request, or on one line of it.

    ``check`` (``channel.gate.check``), ``severity`` and ``state`` are filled in by the gate:
    ``state`` is ``open`` or ``overridden``. ``figures`` may say what the message must not: whoever wants the operation
    reads the message, only Pricing, managers and auditors read the figures.
    """

    request: "GateRequest"
    message: str
    line: GateLine | None = None
    basis: dict = field(default_factory=dict)
    remedy: str | None = None
    figures: str | None = None
    check: Any = None
    severity: str | None = None
    state: str = "open"

    @property
    def code(self):
        return self.check.code

    @property
    def law(self):
        return self.check.law or ""

    @property
    def blocks(self):
        return self.severity == "block" and self.state != "overridden"

    @property
    def fingerprint(self):
        """The same for the same fact: check, member, end customer, product, lot and basis.

        An override holds for one fingerprint, so a check puts into ``basis`` whatever must not change
        without asking again (a price, a quantity, a date); JSON values only.
        """
        line = self.line
        content = json.dumps(
            [
                self.check.code,
                self.request.member.id or 0,
                self.request.customer.id or 0,
                line.product.id if line else 0,
                line.lot.id if line and line.lot else 0,
                self.basis,
            ],
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
            default=str,
        )
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(eq=False)
class GateRequest:
    """One question: may ``member`` do ``operation`` with these lines on ``date``?

    :param str operation: code of a ``channel.gate.operation``
    :param company: ``res.company``
    :param date: the document's date in the company's time zone, never today's by itself
    :param member: commercial ``res.partner`` that buys
    :param customer: commercial ``res.partner`` of the end customer, or the empty recordset
    :param lines: list of :class:`GateLine`
    :param record: the document, or None
    :param currency: ``res.currency`` of the prices, or None when there are none
    """

    operation: str
    company: Any
    date: Date
    member: Any
    customer: Any
    lines: list[GateLine]
    record: Any = None
    currency: Any = None

    def finding(self, message, line=None, basis=None, remedy=None, figures=None):
        """:return: the :class:`GateFinding` that a check yields

        :param str message: a sentence for the person who wants the operation, translated
        :param GateLine line: the line concerned, None for the whole document
        :param dict basis: JSON values the finding rests on, see :attr:`GateFinding.fingerprint`
        :param str remedy: what to do about it, translated; the check's own remedy when None
        :param str figures: costs, floors and the like, translated: not for everybody who reads the message. What is
            secret stays out of ``basis`` too, which is readable, and guessable from the fingerprint.
        """
        return GateFinding(self, message, line=line, basis=dict(basis or {}), remedy=remedy, figures=figures)


class GateRefusal(UserError):
    """Raised when something blocks.

    ``str(error)`` lists every blocking finding with its code in brackets, so that clients over RPC can read the
    code; ``error.findings`` holds the :class:`GateFinding` values.
    """

    #: The web client knows errors by the name of their class; by this it shows a subclass as the message that it is,
    #: and not as a crash of the server with its traceback.
    context = {"exception_class": "odoo.exceptions.UserError"}

    def __init__(self, message, findings=()):
        super().__init__(message)
        self.findings = list(findings)

    @property
    def codes(self):
        """:return: set of the codes of the blocking checks"""
        return {finding.code for finding in self.findings}
