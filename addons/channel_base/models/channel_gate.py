import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date

from ..tools.gate import GateLine, GateRefusal, GateRequest

_logger = logging.getLogger(__name__)

PENDING_KEY = "channel_base.gate_refusals"
RECORD_TRIES = 3


class ChannelGate(models.AbstractModel):
    """The one service that answers "may this happen?".

    An add-on contributes a check by a record of ``channel.gate.check`` with a code, and a method
    ``_check_<code>(self, requests)`` here that yields ``request.finding(...)``. The method gets all requests
    at once and must ask the database a fixed number of times, however many requests and lines there are.
    Checks run as superuser, because whoever orders need not be allowed to read what the law asks about; they must
    therefore write nothing, and put nothing into a message that the person who orders may not know.
    """

    _name = "channel.gate"
    _description = "Gate"

    # === PUBLIC METHODS === #

    @api.model
    @api.readonly
    def evaluate(self, operation, member_id, lines, customer_id=None, date=None):
        """Say what the gate would find, without a document and without storing anything.

        :param str operation: code of a ``channel.gate.operation``: ``order``, ``delivery``, ``invoice``, ...
        :param int member_id: id of the ``res.partner`` that buys
        :param list lines: ``[{product_id: int, quantity: float, price_unit?: float, lot_id?: int}]``; quantity in the
            product's own unit of measure, price_unit net and without tax per that unit, in the currency of the
            current company
        :param int customer_id: id of the ``res.partner`` for which the member buys (the hospital), if any
        :param str date: ``YYYY-MM-DD``, today in the company's time zone when left out
        :return: ``[{code, severity, message, line, law, remedy}]``; severity is ``block`` or ``warn``, line the index
            into ``lines`` or None when the finding is about the whole
        :raise ValidationError: the input does not make sense; the message names field and value
        :raise AccessError: the user has no position in the channel, or asks about a partner that is not the own
        """
        request = self._prepare_request(operation, member_id, lines, customer_id, date)
        return [
            {
                "code": finding.code,
                "severity": finding.severity,
                "message": finding.message,
                "line": finding.line.key if finding.line else None,
                "law": finding.law,
                "remedy": finding.remedy or finding.check.remedy or "",
            }
            for finding in self._run([request])
        ]

    # === ENGINE === #

    @api.model
    def _run(self, requests):
        """Run every check that applies.

        :param list requests: :class:`~odoo.addons.channel_base.tools.gate.GateRequest` values
        :return: list of findings, in the order of the checks, with check and severity filled in
        """
        # Superuser: what decides (licences, authorizations, floors) is often closed to the person who orders.
        # Safe because checks only read and return sentences.
        gate = self.sudo()
        findings = []
        by_operation = {}
        for request in requests:
            by_operation.setdefault(request.operation, []).append(request)
        for operation, asked in by_operation.items():
            companies = self.env["res.company"].browse({request.company.id for request in asked})
            severities = gate.env["channel.gate.check"]._severities(operation, companies)
            checks = gate.env["channel.gate.check"].browse(
                {check.id: None for of_company in severities.values() for check in of_company}
            )
            for check in checks.sorted():
                subset = [request for request in asked if check in severities[request.company.id]]
                for finding in gate._run_check(check, subset):
                    finding.check = check
                    finding.severity = severities[finding.request.company.id][check]
                    findings.append(finding)
        return findings

    @api.model
    def _run_check(self, check, requests):
        method = getattr(self, check._method_name(), None)
        if method is None:
            # Closed rather than open: a check that somebody counts on must not vanish in silence.
            raise ValidationError(
                self.env._(
                    "The gate check %(code)s is active but nothing implements it (method %(method)s). "
                    "Install the add-on that brings it, or archive the check.",
                    code=check.code,
                    method=check._method_name(),
                )
            )
        return method(requests)

    @api.model
    def _evaluate_documents(self, operation, documents):
        """Run the checks on documents, overrides applied. Stores nothing.

        :param str operation: code of the operation
        :param documents: records of one model that implements ``_channel_gate_requests``; new records are welcome
        :return: ``(requests, findings)``
        """
        # Superuser for the same reason, and with the same limits, as in _run.
        requests = documents.sudo()._channel_gate_requests(operation)
        findings = self._run(requests)
        self.env["channel.gate.finding"]._apply_overrides(findings)
        return requests, findings

    @api.model
    def _check_documents(self, operation, documents):
        """Evaluate documents and store what was found, without refusing.

        :return: the findings
        """
        requests, findings = self._evaluate_documents(operation, documents)
        self.env["channel.gate.finding"]._store(operation, documents, requests, findings)
        return findings

    @api.model
    def _enforce(self, operation, documents):
        """Evaluate documents, store the findings, refuse when something blocks.

        The refusal is stored by a transaction of its own, after the end of the one that it stops.

        :param str operation: code of the operation
        :param documents: records of one model, evaluated at once
        :return: the findings (warnings and overridden ones)
        :raise GateRefusal: something blocks
        """
        if not documents:
            return []
        requests, findings = self._evaluate_documents(operation, documents)
        refused = [finding for finding in findings if finding.blocks]
        if refused:
            self._remember_refusal(refused)
            raise GateRefusal(self._refusal_message(refused), refused)
        self.env["channel.gate.finding"]._store(operation, documents, requests, findings)
        return findings

    @api.model
    def _refusal_message(self, findings):
        """:return: what the person reads who is stopped: every finding with document, code, law and remedy"""
        several = len({(f.request.record._name, f.request.record.id) for f in findings if f.request.record}) > 1
        parts = {}
        for finding in findings:
            lines = [f"[{finding.code}] {finding.message}"]
            if several and finding.request.record:
                lines[0] = f"{finding.request.record.display_name}: {lines[0]}"
            if finding.law:
                lines.append(self.env._("Rule: %s", finding.law))
            remedy = finding.remedy or finding.check.remedy
            if remedy:
                lines.append(self.env._("What to do: %s", remedy))
            parts["\n".join(lines)] = None  # one fact on ten lines is one sentence
        return "\n\n".join(parts)

    # === REFUSED ATTEMPTS === #

    @api.model
    def _remember_refusal(self, findings):
        """Have the refused attempt stored after this transaction ends, whichever way it ends.

        Normally it is rolled back; when a caller catches the refusal inside a savepoint, it is committed.
        """
        cr = self.env.cr
        attempts = self.env["channel.gate.finding"]._prepare_refusals(findings)
        pending = cr.postrollback.data.get(PENDING_KEY)
        if pending is None:
            pending = cr.postrollback.data[PENDING_KEY] = {}
            registry, uid, context = self.env.registry, self.env.uid, dict(self.env.context)

            def record():
                if pending:
                    attempts = list(pending.values())
                    pending.clear()
                    _record_refusals(registry, uid, context, attempts)

            cr.postrollback.add(record)
            cr.postcommit.add(record)
        for attempt in attempts:
            key = (attempt["operation"], attempt["res_model"], attempt["res_id"], attempt["fingerprint"])
            pending[key] = attempt

    # === INPUT === #

    @api.model
    def _prepare_request(self, operation, member_id, lines, customer_id, date):
        """Turn the arguments of :meth:`evaluate` into a request, or say what is wrong with them."""
        # Superuser: codes of operations are no secret, and the message names them.
        operations = self.env["channel.gate.operation"].sudo()
        if not isinstance(operation, str) or not operations.search_count([("code", "=", operation)], limit=1):
            raise ValidationError(
                self.env._(
                    "operation: %(value)s is not known. Use one of: %(known)s.",
                    value=repr(operation),
                    known=", ".join(code for (code,) in operations._read_group([], ["code"])),
                )
            )
        company = self.env.company
        member = self._input_partner("member_id", member_id)
        customer = self._input_partner("customer_id", customer_id) if customer_id else self.env["res.partner"]
        self._check_evaluate_access(member, customer)
        if date:
            try:
                date = fields.Date.to_date(date)
            except (ValueError, TypeError) as error:
                raise ValidationError(
                    self.env._("date: %s is not a date. Write it as YYYY-MM-DD.", repr(date))
                ) from error
        return GateRequest(
            operation=operation,
            company=company,
            date=date or company._channel_today(),
            member=member.sudo().commercial_partner_id,  # read right was checked above
            customer=customer.sudo().commercial_partner_id,
            lines=self._input_lines(lines),
            currency=company.currency_id,
        )

    @api.model
    def _check_evaluate_access(self, member, customer):
        """Internal users need a position in the channel and the right to read both partners; a portal user asks for
        the own commercial partner only."""
        user = self.env.user
        if self.env.su:
            return
        if user._is_portal():
            # Safe: compares ids, reads nothing of a foreign partner.
            if member.sudo().commercial_partner_id != user.sudo().commercial_partner_id:
                raise AccessError(self.env._("member_id: you can ask for your own company only."))
        elif not user.has_group("channel_base.group_channel_user"):
            raise AccessError(
                self.env._("Asking the gate needs a position in the channel: ask your administrator for one.")
            )
        else:
            member.check_access("read")
        customer.check_access("read")

    @api.model
    def _input_id(self, model, name, value):
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise ValidationError(self.env._("%(name)s: %(value)s is not an id.", name=name, value=repr(value)))
        return self.env[model].browse(value)

    @api.model
    def _input_partner(self, name, value):
        partner = self._input_id("res.partner", name, value)
        if not partner.exists():
            raise ValidationError(self.env._("%(name)s: there is no partner %(value)s.", name=name, value=value))
        return partner

    @api.model
    def _input_lines(self, lines):
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise ValidationError(
                self.env._("lines: a list of {product_id, quantity, price_unit?, lot_id?} is needed.")
            )
        allowed = {"product_id", "quantity", "price_unit", "lot_id"}
        result = []
        for index, line in enumerate(lines):
            unknown = set(line) - allowed
            if unknown:
                raise ValidationError(
                    self.env._(
                        "lines[%(index)s]: %(unknown)s is not known. Use: %(allowed)s.",
                        index=index,
                        unknown=", ".join(sorted(map(str, unknown))),
                        allowed=", ".join(sorted(allowed)),
                    )
                )
            for name in ("quantity", "price_unit"):
                value = line.get(name)
                missing = value is None and name == "quantity"
                if missing or (value is not None and (isinstance(value, bool) or not isinstance(value, int | float))):
                    raise ValidationError(
                        self.env._(
                            "lines[%(index)s].%(name)s: %(value)s is not a number.",
                            index=index,
                            name=name,
                            value=repr(value),
                        )
                    )
            lot = line.get("lot_id")
            result.append(
                GateLine(
                    key=index,
                    product=self._input_id("product.product", f"lines[{index}].product_id", line.get("product_id")),
                    quantity=line["quantity"],
                    price_unit=line.get("price_unit"),
                    lot=self._input_id("stock.lot", f"lines[{index}].lot_id", lot) if lot else None,
                )
            )
        self._input_check_records(result)
        return result

    @api.model
    def _input_check_records(self, lines):
        """All products and lots of the input exist and belong together. Two queries."""
        products = self.env["product.product"].browse({line.product.id for line in lines}).sudo().exists()
        lots = self.env["stock.lot"].browse({line.lot.id for line in lines if line.lot}).sudo().exists()
        for line in lines:
            # Superuser: portal users may not read lots; only existence and the product's identity are looked at here.
            line.product = line.product.sudo().with_prefetch(products.ids)
            if line.product not in products:
                raise ValidationError(
                    self.env._(
                        "lines[%(index)s].product_id: there is no product %(value)s.",
                        index=line.key,
                        value=line.product.id,
                    )
                )
            if line.lot:
                line.lot = line.lot.sudo().with_prefetch(lots.ids)
                if line.lot not in lots or line.lot.product_id != line.product:
                    raise ValidationError(
                        self.env._(
                            "lines[%(index)s].lot_id: there is no lot %(value)s of this product.",
                            index=line.key,
                            value=line.lot.id,
                        )
                    )

    # === CHECKS OF THE KERNEL === #

    @api.model
    def _check_lot_expired(self, requests):
        """Goods whose lot has expired on the date of the delivery. Reads the lots' ``expiration_date`` in one query."""
        for request in requests:
            for line in request.lines:
                expires = line.lot and line.lot.expiration_date
                if not expires:
                    continue
                expires = request.company._channel_date(expires)
                if expires < request.date:
                    yield request.finding(
                        self.env._(
                            "Lot %(lot)s of %(product)s expired on %(date)s.",
                            lot=line.lot.name,
                            product=line.product.display_name,
                            date=format_date(self.env, expires),
                        ),
                        line=line,
                        basis={"expires": expires.isoformat()},
                    )


def _record_refusals(registry, uid, context, attempts):
    """Write refused attempts by a cursor of their own.

    Runs after the end of the refused transaction; whatever goes wrong here must not hide the refusal, so it is
    logged and not raised. Two refusals of the same thing at the same moment collide on the unique index: the later
    one tries again and then finds the row of the first.
    """
    for attempt in range(1, RECORD_TRIES + 1):
        try:
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, context)
                env["channel.gate.finding"]._record_refusals(attempts)
            return
        except (IntegrityError, OperationalError):
            if attempt == RECORD_TRIES:
                _logger.exception("A refused attempt at the gate could not be stored: %s", attempts)
        except Exception:
            _logger.exception("A refused attempt at the gate could not be stored: %s", attempts)
            return
