from contextlib import contextmanager

from odoo import api, fields, models
from odoo.fields import Command

from ..tools import Basket, in_own_unit

#: Findings that a special price can do away with
PRICE_CODES = {"price_floor", "price_discount", "price_margin", "special_price_quantity", "special_price_period"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_request_ids = fields.One2many(
        "channel.price.request", "order_id", string="Special Price Requests", groups="channel_base.group_channel_user"
    )
    channel_request_count = fields.Integer(
        string="Number of Special Price Requests",
        compute="_compute_channel_request_count",
        groups="channel_base.group_channel_user",
    )

    # === COMPUTE METHODS ===#

    @api.depends("channel_request_ids")
    def _compute_channel_request_count(self):
        counts = dict(
            self.env["channel.price.request"]._read_group([("order_id", "in", self.ids)], ["order_id"], ["__count"])
        )
        for order in self:
            order.channel_request_count = counts.get(order._origin, 0)

    # === ONCHANGE METHODS ===#

    @api.onchange("partner_id", "channel_end_customer_id")
    def _onchange_channel_parties(self):
        if self.state in ("draft", "sent") and self.order_line:
            if self.state == "draft":
                self._channel_reprice()
            # A price typed by hand stays until the user asks for the update
            self.show_update_pricelist = True

    @api.onchange("order_line")
    def _onchange_channel_order_line(self):
        self._channel_reprice_counted()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders.filtered(lambda order: order.state == "sale").order_line._channel_note_table_prices()
        return orders

    def write(self, vals):
        """A draft order follows its parties: lines without a price typed by hand are priced again. What the table said
        is noted when an order is confirmed."""
        confirmed, drafts = self.browse(), self.browse()
        if vals.get("state") == "sale":
            confirmed = self.filtered(lambda order: order.state != "sale")
        if {"partner_id", "channel_end_customer_id"} & vals.keys():
            drafts = self.filtered(lambda order: order.state == "draft")
        before = {order.id: order._channel_pricing_kwargs() for order in drafts}
        result = super().write(vals)
        drafts.filtered(
            lambda order: order.state == "draft" and before[order.id] != order._channel_pricing_kwargs()
        )._channel_reprice()
        confirmed.order_line._channel_note_table_prices()
        return result

    # === ACTION METHODS ===#

    def action_channel_request_special_price(self):
        """Open a special price request for what the gate refuses of this quotation (all of its lines when it refuses
        nothing), or the request that is open already.
        """
        self.ensure_one()
        return self._channel_request_special_price(self._channel_refused_lines() or self.order_line)

    def action_channel_view_requests(self):
        self.ensure_one()
        return self.channel_request_ids._get_records_action(name=self.env._("Special Price Requests"))

    def action_update_prices(self):
        with self._channel_journal_prices(self.env._("Update Prices")):
            return super().action_update_prices()

    def action_channel_price_update(self):
        """Show what updating the prices would change, line by line, before anything is changed."""
        self.ensure_one()
        self.check_access("write")
        Update = self.env["channel.price.update"]
        changes = [Command.create(vals) for vals in Update._preview(self)]
        update = Update.create({"order_id": self.id, "line_ids": changes})
        return {**update._get_records_action(name=self.env._("Update Prices")), "target": "new"}

    # === BUSINESS METHODS ===#

    def _channel_pricing_kwargs(self):
        """The parties on which prices of this order depend, as keywords for the price list's methods."""
        self.ensure_one()
        return {
            "member": self.partner_id.commercial_partner_id,
            "customer": self.channel_end_customer_id.commercial_partner_id,
        }

    def _channel_reprice(self):
        """Price again the lines whose price was not typed by hand.

        As core does when a quantity changes, and unlike its button, which overwrites every price.
        """
        lines = self._get_update_prices_lines().filtered(
            lambda line: not line.currency_id.compare_amounts(line.technical_price_unit, line.price_unit)
        )
        lines.invalidate_recordset(["pricelist_item_id"])
        lines._compute_price_unit()
        lines._compute_discount()

    def _channel_basket(self, lines=None):
        """What is bought together by this order, and by `lines` of it that may not be saved yet."""
        self.ensure_one()

        def read():
            known = self.order_line
            new = (lines or known.browse()).filtered(lambda line: line not in known and line._origin not in known)
            return [
                (line.product_id, in_own_unit(line.product_id, line.product_uom_qty, line.product_uom_id))
                for line in known | new
                if line.product_id and not line.display_type
            ]

        return Basket(read)

    def _channel_reprice_counted(self):
        """Where breaks are counted over several lines, a change of one line may be one of the price of others."""
        for order in self:
            if order.state == "draft" and order.pricelist_id.channel_break_scope not in (False, "line"):
                order._channel_reprice()

    # === SPECIAL PRICES ===#

    def _channel_refused_lines(self):
        """The lines of a quotation whose price the gate finds fault with."""
        self.ensure_one()
        _requests, findings = self.env["channel.gate"]._evaluate_documents("order", self)
        refused = [finding.line.key for finding in findings if finding.line and finding.code in PRICE_CODES]
        return self.order_line.filtered(lambda line: line.id in refused)

    def _channel_request_special_price(self, lines):
        """Open the request of this quotation that is not decided yet, or a new draft with the prices of `lines`."""
        self.ensure_one()
        Request = self.env["channel.price.request"]
        request = Request.search([("order_id", "=", self.id), ("state", "in", ("draft", "submitted"))], limit=1)
        if not request:
            request = Request._make_own(
                {
                    "member_id": self.partner_id.commercial_partner_id.id,
                    "customer_id": self.channel_end_customer_id.commercial_partner_id.id,
                    "company_id": self.company_id.id,
                    "order_id": self.id,
                    "line_ids": [Command.create(vals) for vals in lines._channel_request_vals()],
                }
            )
        return request._get_records_action()

    # === PRICES OF OPEN QUOTATIONS ===#

    def _channel_update_prices(self, lines, reason):
        """Reprice lines of quotations by the price table, as somebody has decided.

        :param str reason: whose decision it was, for the journal
        """
        with self._channel_journal_prices(reason):
            self.with_context(channel_price_update_lines=lines.ids)._recompute_prices()

    @contextmanager
    def _channel_journal_prices(self, reason):
        """Write into the journal what becomes of the prices of these orders meanwhile."""
        before = {line: (line.price_unit, line.discount) for line in self.order_line}
        yield
        for order in self:
            lines = [
                line for line in order.order_line if line in before and before[line] != (line.price_unit, line.discount)
            ]
            if not lines:
                continue
            self.env["channel.audit.entry"]._record(
                "quotation.repriced",
                order,
                reason=reason,
                before={"lines": [[line.name, *before[line]] for line in lines]},
                after={"lines": [[line.name, line.price_unit, line.discount] for line in lines]},
            )

    def _get_update_prices_lines(self):
        """Lines whose price was agreed (special price, contract) are left as they are, unless chosen one by one."""
        lines = super()._get_update_prices_lines()
        chosen = self.env.context.get("channel_price_update_lines")
        if chosen is not None:
            return lines.filtered(lambda line: line.id in chosen)
        return lines.filtered(lambda line: not line._channel_price_is_agreed())

    # === CATALOG ===#

    def _get_product_catalog_order_data(self, products, **kwargs):
        return super()._get_product_catalog_order_data(products, **{**self._channel_pricing_kwargs(), **kwargs})

    def _update_order_line_info(self, product_id, quantity, **kwargs):
        return super()._update_order_line_info(product_id, quantity, **{**self._channel_pricing_kwargs(), **kwargs})
