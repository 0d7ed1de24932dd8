from odoo import api, models
from odoo.tools import SQL, format_date


class ChannelContractVersionAccrualMixin(models.AbstractModel):
    """What has been done under a version, so that its terms cannot be taken back any more.

    Inherited by ``channel.contract.version``.
    """

    _name = "channel.contract.version.accrual.mixin"
    _description = "What a Contract Version Has Governed"

    def _accrued_on(self, since=None):
        """Tell under which of these versions something has been done, in one query for any number.

        Add-ons that let more accrue under a version (rebates) extend this, and keep the reason that is there.

        :param since: only what is dated on this day or later
        :return: ``{version_id: reason}``, a sentence
        """
        if not self.ids:
            return {}
        self._flush_governed()
        reasons = {}
        for version_id, kind, name, day in self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (doc.version_id) doc.version_id, doc.kind, doc.name, doc.day
                  FROM %s AS doc
                 WHERE doc.version_id = ANY(%s) AND doc.day >= %s
                 ORDER BY doc.version_id, doc.day, doc.kind, doc.id
                """,
                self._governed_sql(),
                self.ids,
                SQL("%s::date", since or "0001-01-01"),
            )
        ):
            reasons[version_id] = (
                self.env._("order %(name)s of %(date)s rests on it", name=name, date=format_date(self.env, day))
                if kind == "order"
                else self.env._("invoice %(name)s of %(date)s rests on it", name=name, date=format_date(self.env, day))
            )
        return reasons

    @api.model
    def _flush_governed(self):
        self.env["sale.order"].flush_model(
            ["channel_contract_version_id", "state", "date_order", "name", "partner_id", "company_id"]
        )
        self.env["account.move"].flush_model(
            ["channel_contract_version_id", "state", "invoice_date", "name", "move_type", "commercial_partner_id",
             "company_id"]
        )
        self.env["res.partner"].flush_model(["commercial_partner_id"])

    @api.model
    def _governed_sql(self):
        """:return: SQL relation ``(kind, id, name, version_id, member_id, company_id, day)`` of confirmed orders and
            posted customer invoices and credit notes, ``day`` where their company is; flush by ``_flush_governed``
        """
        return SQL(
            """(
            SELECT 'order' AS kind, o.id, o.name, o.channel_contract_version_id AS version_id,
                   partner.commercial_partner_id AS member_id, o.company_id,
                   (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date AS day
              FROM sale_order o
              JOIN res_partner partner ON partner.id = o.partner_id
              JOIN %(zones)s AS zone ON zone.company_id = o.company_id
             WHERE o.state = 'sale'
             UNION ALL
            SELECT 'invoice', m.id, m.name, m.channel_contract_version_id, m.commercial_partner_id, m.company_id,
                   m.invoice_date
              FROM account_move m
             WHERE m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
            )""",
            zones=self.env["res.company"]._channel_zones_sql(),
        )
