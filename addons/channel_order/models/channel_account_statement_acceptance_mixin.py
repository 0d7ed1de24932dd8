from datetime import timedelta

from odoo import api, fields, models


class ChannelAccountStatementAcceptanceMixin(models.AbstractModel):
    """What receivers have not answered, and what they claim, in the statement of account."""

    _inherit = "channel.account.statement.content.mixin"

    @api.model
    def _sections(self):
        sections = super()._sections()
        return {
            **{code: sections.pop(code) for code in ("orders", "deliveries") if code in sections},
            "acceptances": self._section_acceptances, "claims": self._section_claims, **sections,
        }

    @api.model
    def _section_titles(self):
        return {
            **super()._section_titles(),
            "acceptances": self.env._("Delivered, not accepted yet"),
            "claims": self.env._("Claims that are being decided"),
        }

    def _section_acceptances(self, scope):
        """Deliveries of the period that nobody has answered, line by line, at the price of the order."""
        acceptances = self.env["channel.acceptance"].search([
            *self._section_shipped_domain(scope), ("state", "in", ("waiting", "arrived")),
        ], order="shipped_at, id")
        return [
            self._section_acceptance_line(
                f"acceptance_{line.id}", line, line.quantity, line.acceptance_id.picking_id.name,
                line.acceptance_id.shipped_at, due=line.acceptance_id.due_date,
            )
            for line in acceptances.line_ids
        ]

    def _section_claims(self, scope):
        """What would be credited if every open claim were granted; a claim in favour of the dealer is negative."""
        claims = self.env["channel.claim"].search([
            ("acceptance_id", "in", self.env["channel.acceptance"]._search(self._section_shipped_domain(scope))),
            ("state", "=", "draft"),
        ], order="date, id")
        return [
            self._section_acceptance_line(
                f"claim_{line.id}", line.acceptance_line_id, -line.quantity, line.claim_id.name,
                line.claim_id.create_date,
            )
            for line in claims.line_ids
        ]

    def _section_shipped_domain(self, scope):
        after = fields.Datetime.to_datetime(scope["date_to"] + timedelta(days=1))
        return [
            ("member_id", "=", scope["member"].id), ("company_id", "=", scope["company"].id),
            ("shipped_at", "<", after),
        ]

    def _section_acceptance_line(self, key, line, quantity, document, moment, **values):
        sale_line = line.move_line_id.move_id.sale_line_id
        order = sale_line.order_id or line.acceptance_id.sale_id
        ordered = sale_line.product_uom_qty
        price = sale_line.price_total / ordered if ordered else sale_line.price_unit
        in_unit = line.uom_id._compute_quantity(quantity, sale_line.product_uom_id) if sale_line else quantity
        return self._section_line(
            key, order.currency_id, price * in_unit, document, order.company_id._channel_date(moment),
            reference=order.client_order_ref, orders=order.name,
            text=f"{line.product_id.display_name} {line.lot_id.name or ''}: {abs(quantity):g} {line.uom_id.name}",
            contract=order.channel_contract_version_id.display_name, **values,
        )
