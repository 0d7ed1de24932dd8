from odoo import fields, models

from ..tools.gate import GateRequest


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "channel.gate.document.mixin"]

    _channel_gate_operation = "invoice"

    channel_end_customer_id = fields.Many2one(
        "res.partner",
        string="End Customer",
        index="btree_not_null",
        check_company=True,
        help="The hospital for which the goods were ordered.",
    )

    def write(self, vals):
        """The gate stands here because posting ends in writing the state, whether ``_post`` does it or a client.

        Within a savepoint, so that a caller who catches the refusal is left with a draft.
        """
        gated = self.browse()
        if vals.get("state") == "posted":
            gated = self.filtered(lambda move: move.state != "posted" and move._channel_gate_is_invoice())
        if not gated:
            return super().write(vals)
        with self.env.cr.savepoint():
            result = super().write(vals)
            self.env["channel.gate"]._enforce("invoice", gated)
        return result

    # === GATE === #

    def _channel_gate_is_invoice(self):
        self.ensure_one()
        return self.move_type in ("out_invoice", "out_receipt")

    def _channel_gate_depends(self):
        return [
            "state",
            "move_type",
            "invoice_user_id",
            "partner_id",
            "channel_end_customer_id",
            "invoice_date",
            "currency_id",
            *(f"invoice_line_ids.{name}" for name in ("product_id", "quantity", "product_uom_id", "price_subtotal")),
        ]

    def _channel_gate_is_pending(self):
        self.ensure_one()
        return self.state == "draft" and self._channel_gate_is_invoice()

    def _channel_gate_authors(self):
        return self.create_uid | self.invoice_user_id

    def _channel_gate_requests(self, operation):
        if operation != "invoice":
            return super()._channel_gate_requests(operation)
        result = []
        for move in self:
            if not move._channel_gate_is_invoice() or not move.partner_id:
                continue
            company = move.company_id or self.env.company
            result.append(
                GateRequest(
                    operation=operation,
                    company=company,
                    date=move.invoice_date or company._channel_today(),
                    member=move.partner_id.commercial_partner_id,
                    customer=move.channel_end_customer_id.commercial_partner_id,
                    lines=move.invoice_line_ids._channel_gate_lines(),
                    record=move,
                    currency=move.currency_id,
                )
            )
        return result
