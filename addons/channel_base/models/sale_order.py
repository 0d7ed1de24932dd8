from odoo import api, fields, models

from ..tools.gate import GateRequest

#: Marks, in the context, that the order's own hook will evaluate when all of its lines are there. The value is compared
#: by identity, so that no client can pass it.
ORDER_IS_EVALUATED = object()


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "channel.gate.document.mixin"]

    _channel_gate_operation = "order"

    channel_end_customer_id = fields.Many2one(
        "res.partner",
        string="End Customer",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="The hospital for which the member orders. Prices, authorizations and rebates may depend on it.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not any(vals.get("state") == "sale" for vals in vals_list):
            return super().create(vals_list)
        with self.env.cr.savepoint():
            orders = (
                super(SaleOrder, self.with_context(channel_gate_order=ORDER_IS_EVALUATED))
                .create(vals_list)
                .with_env(self.env)
            )
            self.env["channel.gate"]._enforce("order", orders.filtered(lambda order: order.state == "sale"))
        return orders

    def write(self, vals):
        """The gate stands here because every way to a confirmed order ends in this method: the button, a signature or
        payment on the portal, an RPC client that writes the state, an import.

        The order is evaluated as written, within a savepoint, so that a caller who catches the refusal is left with
        the order as it was.
        """
        confirmed = self.filtered(lambda order: order.state == "sale")
        if vals.get("state") == "sale":
            gated = self - confirmed
        else:
            gated = self.browse()
        if self._channel_gate_header_fields() & vals.keys():
            gated |= confirmed
        if not gated:
            return super().write(vals)
        with self.env.cr.savepoint():
            result = super(SaleOrder, self.with_context(channel_gate_order=ORDER_IS_EVALUATED)).write(vals)
            self.env["channel.gate"]._enforce("order", gated.filtered(lambda order: order.state == "sale"))
        return result

    # === INVOICING === #

    def _prepare_invoice(self):
        return {**super()._prepare_invoice(), "channel_end_customer_id": self.channel_end_customer_id.id}

    def _get_invoice_grouping_keys(self):
        return [*super()._get_invoice_grouping_keys(), "channel_end_customer_id"]

    # === GATE === #

    @api.model
    def _channel_gate_header_fields(self):
        """:return: set of the fields of a confirmed order whose change is asked about again"""
        return {"partner_id", "channel_end_customer_id", "date_order", "company_id"}

    def _channel_gate_depends(self):
        return [
            "state",
            "user_id",
            *sorted(self._channel_gate_header_fields()),
            *(f"order_line.{name}" for name in sorted(self.env["sale.order.line"]._channel_gate_fields())),
        ]

    def _channel_gate_is_pending(self):
        self.ensure_one()
        return self.state in ("draft", "sent")

    def _channel_gate_authors(self):
        return self.create_uid | self.user_id

    def _channel_gate_requests(self, operation):
        if operation != "order":
            return super()._channel_gate_requests(operation)
        return [
            GateRequest(
                operation=operation,
                company=order.company_id or self.env.company,
                date=order._channel_gate_date(),
                member=order.partner_id.commercial_partner_id,
                customer=order.channel_end_customer_id.commercial_partner_id,
                lines=order.order_line._channel_gate_lines(),
                record=order,
                currency=order.currency_id,
            )
            for order in self
            if order.partner_id
        ]

    def _channel_gate_date(self):
        self.ensure_one()
        company = self.company_id or self.env.company
        return company._channel_date(self.date_order or fields.Datetime.now())
