from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL, format_date


class ChannelContractVersionAmendmentMixin(models.AbstractModel):
    """What a draft would change, in fields that rules of approval can ask about. Inherited by
    ``channel.contract.version``.

    Backdating is possible and shown; a draft that would change which version governs documents that are there needs the
    higher approval that the add-on brings as tier definitions, and its approval names the new version on them.
    """

    _name = "channel.contract.version.amendment.mixin"
    _description = "Effects of a Contract Version"

    # Of the contract; named here for the amount below
    currency_id = fields.Many2one("res.currency")
    committed_amount = fields.Monetary(
        compute="_compute_committed_amount",
        help="Sum of the committed amounts in a year, in the contract's currency. For rules of approval.",
    )
    is_exclusive = fields.Boolean(
        compute="_compute_is_exclusive", help="An authorization that rests on it is exclusive. For rules of approval."
    )
    backdated_days = fields.Integer(
        compute="_compute_backdated",
        help="By how many days it begins before its approval, of a draft: before today. For rules of approval.",
    )
    recompute_count = fields.Integer(
        string="Documents Governed Anew",
        compute="_compute_backdated",
        help="Confirmed orders and posted invoices that the approval puts under this version. For rules of approval.",
    )
    recompute_html = fields.Html(
        string="What the Approval Recomputes", compute="_compute_recompute_html", sanitize=False
    )

    # === COMPUTE METHODS ===#

    @api.depends("commitment_ids.amount", "commitment_ids.measure", "commitment_ids.period")
    def _compute_committed_amount(self):
        times = {"month": 12, "quarter": 4, "half": 2}
        for version in self:
            amounts = version.commitment_ids.filtered(lambda commitment: commitment.measure == "amount")
            version.committed_amount = sum(line.amount * times.get(line.period, 1) for line in amounts)

    @api.depends("authorization_ids.exclusive")
    def _compute_is_exclusive(self):
        for version in self:
            version.is_exclusive = any(version.authorization_ids.mapped("exclusive"))

    @api.depends("valid_from", "state", "approved_at")
    def _compute_backdated(self):
        previews = self.filtered(lambda version: version.state == "draft")._recompute_preview()
        for version in self:
            company = version.company_id or self.env.company
            day = company._channel_date(version.approved_at) if version.approved_at else company._channel_today()
            version.backdated_days = max((day - version.valid_from).days, 0) if version.valid_from else 0
            version.recompute_count = len(previews.get(version._origin.id, ()))

    @api.depends("valid_from", "valid_to", "state")
    def _compute_recompute_html(self):
        previews = self.filtered(lambda version: version.state == "draft")._recompute_preview()
        for version in self:
            rows = previews.get(version._origin.id)
            version.recompute_html = rows and Markup("<ul>%s</ul>") % Markup().join(
                Markup("<li>%s</li>") % self._recompute_text(row) for row in rows[:50]
            )

    def _recompute_text(self, row):
        words = {"name": row["name"], "date": format_date(self.env, row["date"]), "before": row["before"] or "–"}
        if row["kind"] == "order":
            return self.env._("Order %(name)s of %(date)s: governed by %(before)s until now", **words)
        return self.env._("Invoice %(name)s of %(date)s: governed by %(before)s until now", **words)

    # === BUSINESS METHODS ===#

    def _recompute_preview(self):
        """What the approval of these drafts would put under them, in one query for any number.

        Documents of the member and company in the draft's period that no version governs, or another one of the same
        contract. Add-ons that let more follow from a version (rebates) extend this with rows of a kind of their own.

        :return: ``{version_id: [{'kind': 'order' | 'invoice', 'id': int, 'name': str, 'date': date,
            'before': name of the version that governs it now, or None}]}``, oldest first
        """
        drafts = self._origin.filtered("id")
        if not drafts:
            return {}
        self._flush_governed()
        drafts.flush_recordset(["valid_from", "valid_to", "contract_id", "member_id", "company_id"])
        previews = {}
        for version_id, kind, document_id, name, day, number, contract in self.env.execute_query(
            SQL(
                """
                SELECT v.id, doc.kind, doc.id, doc.name, doc.day, governing.number, contract.name
                  FROM channel_contract_version v
                  JOIN %s AS doc ON doc.member_id = v.member_id AND doc.company_id = v.company_id
                   AND doc.day >= v.valid_from AND (v.valid_to IS NULL OR doc.day <= v.valid_to)
                  LEFT JOIN channel_contract_version governing ON governing.id = doc.version_id
                  LEFT JOIN channel_contract contract ON contract.id = governing.contract_id
                 WHERE v.id = ANY(%s) AND (governing.id IS NULL OR governing.contract_id = v.contract_id)
                   AND governing.id IS DISTINCT FROM v.id
                 ORDER BY v.id, doc.day, doc.kind, doc.id
                """,
                self._governed_sql(),
                drafts.ids,
            )
        ):
            previews.setdefault(version_id, []).append(
                {
                    "kind": kind,
                    "id": document_id,
                    "name": name,
                    "date": day,
                    "before": f"{contract} v{number}" if number else None,
                }
            )
        return previews

    def _govern_documents(self):
        """Name these versions, which have just begun to count, on the documents of their period.

        Prices and amounts of documents stay: what is owed differently is settled by the rebates and credit notes that
        follow. The journal keeps what governed until now.
        """
        # sudo: whoever approves need not write orders and invoices; only the version that governs them is written
        for version_id, rows in self.sudo()._recompute_preview().items():
            version = self.browse(version_id)
            for kind, model in (("order", "sale.order"), ("invoice", "account.move")):
                documents = self.env[model].sudo().browse([row["id"] for row in rows if row["kind"] == kind])
                documents.write({"channel_contract_version_id": version_id})
            self.env["channel.audit.entry"]._record(
                "contract.recomputed",
                version,
                before={"documents": [{"name": row["name"], "version": row["before"]} for row in rows]},
                after={"version": version.display_name, "documents": len(rows)},
            )
