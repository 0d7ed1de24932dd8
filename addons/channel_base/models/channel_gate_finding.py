from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ChannelGateFinding(models.Model):
    """What the gate found, on which document, and what became of it.

    One row per document, operation and fact (fingerprint). Evaluating a document again brings its rows up to date;
    a fact that has gone is marked resolved, never deleted. Rows are written by the gate only.
    """

    _name = "channel.gate.finding"
    _description = "Gate Finding"
    _order = "evaluated_at desc, id desc"
    _rec_name = "message"

    check_id = fields.Many2one("channel.gate.check", required=True, index=True, readonly=True, ondelete="cascade")
    code = fields.Char(related="check_id.code", store=True, index=True)
    law = fields.Text(related="check_id.law")
    operation_id = fields.Many2one(
        "channel.gate.operation", required=True, index=True, readonly=True, ondelete="cascade"
    )
    severity = fields.Selection([("block", "Blocks"), ("warn", "Warns")], required=True, readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("refused", "Refused"),
            ("overridden", "Overridden"),
            ("resolved", "Resolved"),
        ],
        required=True,
        default="open",
        index=True,
        readonly=True,
        help="Open: holds for the document as it was last evaluated.\n"
        "Refused: somebody tried and was stopped.\n"
        "Overridden: somebody allowed it, with a reason.\n"
        "Resolved: the last evaluation did not find it any more.",
    )
    message = fields.Text(required=True, readonly=True)
    remedy = fields.Text(readonly=True)
    figures = fields.Text(
        readonly=True,
        groups="channel_base.group_channel_pricing,channel_base.group_channel_manager,"
        "channel_base.group_channel_auditor",
        help="Costs, floor prices and the like behind the finding; not for everybody who reads it.",
    )
    fingerprint = fields.Char(required=True, readonly=True)
    basis = fields.Json(readonly=True)

    res_model = fields.Char("Document Model", index=True, readonly=True)
    res_id = fields.Many2oneReference("Document ID", model_field="res_model", readonly=True)
    document_name = fields.Char("Document", readonly=True)
    document_date = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    member_id = fields.Many2one("res.partner", index=True, readonly=True)
    customer_id = fields.Many2one("res.partner", string="End Customer", index="btree_not_null", readonly=True)
    product_id = fields.Many2one("product.product", index="btree_not_null", readonly=True)
    lot_id = fields.Many2one("stock.lot", readonly=True, index="btree_not_null")
    quantity = fields.Float(digits="Product Unit", readonly=True)
    price_unit = fields.Float("Net Price", min_display_digits="Product Price", readonly=True)
    user_id = fields.Many2one("res.users", string="Asked By", index=True, readonly=True)
    evaluated_at = fields.Datetime(required=True, default=fields.Datetime.now, readonly=True)
    resolved_at = fields.Datetime(readonly=True)

    attempt_count = fields.Integer("Refused Attempts", readonly=True)
    last_attempt_at = fields.Datetime("Last Refused", readonly=True)
    attempt = fields.Json(readonly=True, help="What was tried, also when the document was never saved.")
    attempt_text = fields.Text("Tried", compute="_compute_attempt_text")

    override_user_id = fields.Many2one("res.users", string="Overridden By", readonly=True)
    override_at = fields.Datetime("Overridden On", readonly=True)
    override_reason = fields.Text(readonly=True)

    _document_fact_uniq = models.UniqueIndex(
        "(res_model, res_id, operation_id, fingerprint)",
        "The gate has stored this finding on the document already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("attempt")
    def _compute_attempt_text(self):
        for finding in self:
            attempt = finding.attempt or {}
            lines = [
                " · ".join(
                    value
                    for value in (
                        attempt.get("document"),
                        attempt.get("date"),
                        attempt.get("member"),
                        attempt.get("customer"),
                    )
                    if value
                )
            ]
            for line in attempt.get("lines", ()):
                text = f"{line['quantity']:g} × {line['product']}"
                if line.get("lot"):
                    text += f" ({line['lot']})"
                if line.get("price_unit") is not None:
                    text += f" @ {line['price_unit']:g} {attempt.get('currency', '')}".rstrip()
                lines.append(text)
            finding.attempt_text = "\n".join(filter(None, lines))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(self.env._("Findings and their overrides are written by the gate only."))
        return super().create(vals_list)

    # === ACTION METHODS === #

    def action_open_document(self):
        self.ensure_one()
        if not self.res_id or not self.env[self.res_model].browse(self.res_id).exists():
            raise UserError(self.env._("%s was never saved, or has been deleted.", self.document_name or self.message))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }

    def action_override(self, reason):
        """Let these findings pass on their documents, as long as the facts stay the same.

        :param str reason: why, for the audit journal
        :raise AccessError: the user has not the position that the check asks for, or made the document
        :raise UserError: no reason, or a finding that does not block
        """
        self.check_access("read")
        if not (reason or "").strip():
            raise UserError(self.env._("Reason: an override needs one. Write why this may pass."))
        for finding in self:
            if finding.severity != "block" or finding.state not in ("open", "refused") or not finding.res_id:
                raise UserError(self.env._("There is nothing to override: %s", finding.message))
            if finding.check_id.override_group_id not in self.env.user.all_group_ids:
                raise AccessError(
                    self.env._(
                        "[%(code)s] may be overridden by %(group)s only.",
                        code=finding.code,
                        group=finding.check_id.override_group_id.display_name,
                    )
                )
            if not finding._may_override():
                raise AccessError(
                    self.env._("%s is your own document: somebody else has to override.", finding.document_name)
                )
        before = {finding.id: {"state": finding.state} for finding in self}
        # Superuser: nobody has write access to findings; position, authorship and reason were checked above.
        self.sudo().write(
            {
                "state": "overridden",
                "override_user_id": self.env.uid,
                "override_at": fields.Datetime.now(),
                "override_reason": reason.strip(),
            }
        )
        self.env["channel.audit.entry"]._record(
            "gate.overridden",
            self,
            reason=reason.strip(),
            before=before,
            after={finding.id: finding._audit_vals() for finding in self},
        )

    def _may_override(self):
        """:return: whether the user holds the check's position and did not make the document"""
        self.ensure_one()
        if self.check_id.override_group_id not in self.env.user.all_group_ids:
            return False
        document = self.env[self.res_model].browse(self.res_id).exists() if self.res_model else None
        if not document:
            return True
        # Superuser: who made a document is asked also where the overriding person may not read it.
        document = document.sudo()
        authors = getattr(document, "_channel_gate_authors", None)
        return self.env.user not in (authors() if authors else document.create_uid)

    def _audit_vals(self):
        """:return: what the audit journal keeps of a finding"""
        self.ensure_one()
        return {
            "state": self.state,
            "check": self.code,
            "operation": self.operation_id.code,
            "document": self.document_name or "",
            "message": self.message,
            "fingerprint": self.fingerprint,
        }

    # === STORING === #

    @api.model
    def _prepare_finding_vals(self, finding, operation):
        request, line = finding.request, finding.line
        record = request.record
        return {
            "check_id": finding.check.id,
            "operation_id": operation.id,
            "severity": finding.severity,
            "state": finding.state,
            "message": finding.message,
            "remedy": finding.remedy or finding.check.remedy,
            "figures": finding.figures,
            "fingerprint": finding.fingerprint,
            "basis": finding.basis,
            "res_model": record._name if record is not None else False,
            "res_id": (record._origin.id or 0) if record is not None else 0,
            "document_name": record.display_name if record is not None else False,
            "document_date": request.date,
            "company_id": request.company.id,
            "member_id": request.member.id,
            "customer_id": request.customer.id,
            "product_id": line.product.id if line else False,
            "lot_id": line.lot.id if line and line.lot else False,
            "quantity": line.quantity if line else 0.0,
            "price_unit": (line.price_unit or 0.0) if line else 0.0,
            "user_id": self.env.uid,
            "evaluated_at": fields.Datetime.now(),
            "resolved_at": False,
        }

    @api.model
    def _rows_of(self, model, ids, operation=None):
        """:return: ``{(res_id, operation code, fingerprint): row}`` of documents, in one query"""
        domain = [("res_model", "=", model), ("res_id", "in", list(ids))]
        if operation:
            domain.append(("operation_id.code", "=", operation))
        # Superuser: the gate's own bookkeeping must see every row, whatever region the user has.
        rows = self.sudo().search(domain)
        return {(row.res_id, row.operation_id.code, row.fingerprint): row for row in rows}

    @api.model
    def _apply_overrides(self, findings):
        """Mark those findings of documents that somebody has overridden."""
        by_model = {}
        for finding in findings:
            record = finding.request.record
            if record is not None and record._origin.id and finding.severity == "block":
                by_model.setdefault(record._name, []).append(finding)
        for model, of_model in by_model.items():
            rows = self._rows_of(model, {finding.request.record._origin.id for finding in of_model})
            for finding in of_model:
                request = finding.request
                row = rows.get((request.record._origin.id, request.operation, finding.fingerprint))
                if row and row.override_user_id:
                    finding.state = "overridden"

    @api.model
    def _store(self, operation, documents, requests, findings):
        """Bring the rows of the documents up to date with what was just found.

        :return: the rows of these findings
        """
        # Superuser: findings are nobody's to write; the values come from the gate alone.
        rows = self.sudo()
        targets = {(documents._name, record.id) for record in documents}
        targets |= {(r.record._name, r.record.id) for r in requests if r.record is not None}
        operation_record = rows.env["channel.gate.operation"].search([("code", "=", operation)])
        current = {}
        for model in {model for model, _id in targets}:
            ids = {res_id for of_model, res_id in targets if of_model == model}
            for (res_id, _operation, fingerprint), row in self._rows_of(model, ids, operation).items():
                current[model, res_id, fingerprint] = row
        new, found, seen = {}, rows, set()
        for finding in findings:
            vals = rows._prepare_finding_vals(finding, operation_record)
            key = (vals["res_model"], vals["res_id"], vals["fingerprint"])
            if key in seen:  # the same fact on another line
                continue
            seen.add(key)
            row = current.pop(key, None)
            if row:
                found |= row
                row.write({name: value for name, value in vals.items() if row._differs(name, value)})
            else:
                new[key] = vals
        gone = rows.browse([row.id for row in current.values() if row.state != "resolved"])
        gone.write({"state": "resolved", "resolved_at": fields.Datetime.now()})
        return found | rows.create(list(new.values()))

    def _differs(self, name, value):
        stored = self[name]
        if isinstance(stored, models.BaseModel):
            stored = stored.id
        return (stored or False) != (value or False)

    # === REFUSED ATTEMPTS === #

    @api.model
    def _prepare_refusals(self, findings):
        """Plain values that outlive the transaction and its records, one per fact."""
        operations = {operation.code: operation for operation in self.env["channel.gate.operation"].sudo().search([])}
        result = {}
        for finding in findings:
            request = finding.request
            # Superuser: reads the names of what was tried, to store them in a row that only the gate writes.
            vals = self.sudo()._prepare_finding_vals(finding, operations[request.operation])
            vals.update(
                state="refused",
                user_id=self.env.uid,
                operation=request.operation,
                attempt={
                    "document": vals["document_name"] or None,
                    "date": request.date.isoformat(),
                    "member": request.member.display_name or None,
                    "customer": request.customer.display_name or None,
                    "currency": request.currency.name if request.currency else "",
                    "lines": [
                        {
                            "product": line.product.display_name,
                            "quantity": line.quantity,
                            "price_unit": line.price_unit,
                            "lot": line.lot.name if line.lot else None,
                        }
                        for line in request.lines
                    ],
                },
            )
            result.setdefault((vals["res_model"], vals["res_id"], vals["fingerprint"]), vals)
        return list(result.values())

    @api.model
    def _record_refusals(self, attempts):
        """Store refused attempts, in a transaction after the refused one.

        What the refused transaction had created is gone: such a document is stored with id 0 and by what was tried.
        """
        # Superuser: the attempt is recorded whoever made it; the values come from the gate alone.
        rows = self.sudo()
        now = fields.Datetime.now()
        recorded = rows
        for attempt in attempts:
            vals = {name: value for name, value in attempt.items() if name != "operation"}
            for name, value in vals.items():
                field = rows._fields[name]
                if field.type == "many2one" and value and not rows.env[field.comodel_name].browse(value).exists():
                    vals[name] = False
            if vals["res_id"] and not rows.env[vals["res_model"]].browse(vals["res_id"]).exists():
                vals["res_id"] = 0
            row = rows.search(
                [
                    ("res_model", "=", vals["res_model"]),
                    ("res_id", "=", vals["res_id"]),
                    ("operation_id", "=", vals["operation_id"]),
                    ("fingerprint", "=", vals["fingerprint"]),
                ]
            )
            vals.update(attempt_count=row.attempt_count + 1, last_attempt_at=now)
            if row:
                row.write(vals)
            else:
                row = rows.create(vals)
            recorded |= row
        self.env["channel.audit.entry"]._record(
            "gate.refused",
            recorded.with_env(self.env),
            after={row.id: {**row._audit_vals(), "attempt": row.attempt} for row in recorded},
        )
        return recorded
