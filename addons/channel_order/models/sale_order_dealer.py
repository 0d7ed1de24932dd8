from odoo import fields, models
from odoo.exceptions import UserError

#: State of the order -> what a dealer is told; see :meth:`SaleOrder._channel_dealer_state`
STATES = {"draft": "draft", "sent": "quotation", "sale": "confirmed", "cancel": "cancelled"}

ACTIVITY_TYPE = "channel_order.mail_activity_type_dealer_order"


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_source = fields.Selection(
        [("portal", "Dealer on the Portal"), ("api", "System of the Dealer")],
        string="Entered by",
        readonly=True,
        copy=False,
        help="Empty: our own people.",
    )
    channel_order_key = fields.Char(
        string="Key of the Submission",
        readonly=True,
        copy=False,
        help="Given by the calling system. Sent again by the same member it makes no second order.",
    )
    channel_submitted_date = fields.Datetime(string="Submitted on", readonly=True, copy=False)
    channel_submitted_by_id = fields.Many2one(
        "res.users", string="Submitted by", readonly=True, copy=False, index="btree_not_null"
    )
    channel_dealer_note = fields.Text(string="Note of the Dealer", copy=False)
    channel_pending_rows = fields.Json(
        copy=False,
        groups="base.group_user",
        help="Rows that the dealer pasted or uploaded and that could not be taken over yet.",
    )

    _channel_order_key_uniq = models.UniqueIndex(
        "(company_id, partner_id, channel_order_key) WHERE channel_order_key IS NOT NULL",
        "This order was sent already.",
    )

    # === STATES === #

    def _channel_is_cart(self):
        """:return: whether the dealer is still filling it in"""
        self.ensure_one()
        return self.state == "draft" and bool(self.channel_source) and not self.channel_submitted_date

    def _channel_dealer_state(self):
        """:return: ``draft``, ``submitted``, ``quotation`` (ours, for the dealer), ``confirmed`` or ``cancelled``"""
        self.ensure_one()
        if self.channel_submitted_date and self.state in ("draft", "sent"):
            return "submitted"
        return STATES[self.state]

    # === CART === #

    def _channel_refresh_cart(self):
        """A cart that lay for a while has the terms and prices of now, not of when it was begun."""
        for order in self:
            if order._channel_is_cart():
                order.date_order = fields.Datetime.now()
                order._compute_validity_date()
                order._channel_reprice()

    def _channel_change_cart(self, lines):
        """Set quantities and units of lines, 0 takes one out.

        :param dict lines: ``{line: (quantity, unit)}``
        """
        self.ensure_one()
        gone = self.order_line.browse()
        for line, (quantity, uom) in lines.items():
            if uom.is_zero(quantity):
                gone |= line
                continue
            vals = {}
            if uom.compare(quantity, line.product_uom_qty):
                vals["product_uom_qty"] = quantity
            if uom != line.product_uom_id:
                vals["product_uom_id"] = uom.id
            if vals:
                line.write(vals)
        gone.unlink()

    def _channel_fill_cart(self, vals_list):
        """Add lines; what is there already in the same unit is raised.

        :param list vals_list: dicts of ``product_id``, ``product_uom_qty``, ``product_uom_id``
        """
        self.ensure_one()
        known = {(line.product_id.id, line.product_uom_id.id): line for line in self.order_line}
        new = {}
        for vals in vals_list:
            key = vals["product_id"], vals["product_uom_id"]
            if key in known:
                known[key].product_uom_qty += vals["product_uom_qty"]
            elif key in new:
                new[key]["product_uom_qty"] += vals["product_uom_qty"]
            else:
                new[key] = {**vals, "order_id": self.id}
        self.env["sale.order.line"].create(list(new.values()))

    # === SUBMISSION === #

    def _channel_submit(self, confirm):
        """The dealer orders: confirmed at once, or to be confirmed by the sales office.

        :param bool confirm: whether it may be confirmed at once, where the company has it so
        """
        self.ensure_one()
        self._channel_refresh_cart()
        self.write({
            "state": "sent",
            "channel_submitted_date": fields.Datetime.now(),
            "channel_submitted_by_id": self.env.uid,
            "channel_pending_rows": False,
        })
        findings = self.env["channel.gate"]._check_documents("order", self)
        blocking = [finding for finding in findings if finding.blocks]
        if confirm and self.company_id.channel_portal_confirms and not blocking and not self._has_to_be_paid():
            try:
                with self.env.cr.savepoint():
                    self.action_confirm()
                return
            except UserError as error:
                # Something that only a confirmation finds: the sales office sees to it
                self._channel_ask_sales(str(error))
                return
        self._channel_ask_sales("\n".join(finding.message for finding in blocking))

    def _channel_ask_sales(self, reason):
        """An activity for whoever confirms it: the salesperson, else who owns the company's alerts."""
        # sudo: who it is, whoever submits
        user = self.sudo().user_id or self.company_id._channel_alert_user()
        if not user or user == self.env.user:
            return
        order = self.with_context(lang=user.lang)
        self.activity_schedule(
            ACTIVITY_TYPE,
            user_id=user.id,
            summary=order.env._("Confirm the order of %s", self.partner_id.name),
            note=reason or False,
        )

    def _action_confirm(self):
        result = super()._action_confirm()
        self._channel_close_asking()
        return result

    def _action_cancel(self):
        result = super()._action_cancel()
        self._channel_close_asking()
        return result

    def _channel_close_asking(self):
        """Nobody is asked any more for what is confirmed or cancelled."""
        self.filtered("channel_submitted_date").activity_feedback([ACTIVITY_TYPE])

    # === TELLING === #

    def _channel_order_answer(self):
        """What ``channel.order.status`` returns. The caller may read the order."""
        self.ensure_one()
        # sudo: names of products and of the gate's checks, of an order that may be read
        api, order = self.env["channel.order"].sudo().with_company(self.company_id), self.sudo()
        if order.state in ("draft", "sent"):
            told = api._told(order)
        else:
            told = {
                "currency": order.currency_id.name,
                "amount_untaxed": order.amount_untaxed,
                "amount_tax": order.amount_tax,
                "amount_total": order.amount_total,
                "blocks": False,
                "findings": [],
                "credit": None,
                "lines": [api._told_line(line) for line in order.order_line if not line.display_type],
            }
        lines = order.order_line.filtered(lambda line: not line.display_type)
        for answer, line in zip(told["lines"], lines, strict=True):
            answer["delivered"] = line.qty_delivered
        requested = order.commitment_date and order.company_id._channel_date(order.commitment_date)
        return {
            "reference": order.name,
            "key": order.channel_order_key or None,
            "client_order_ref": order.client_order_ref or None,
            "state": order._channel_dealer_state(),
            "member_id": order.partner_id.commercial_partner_id.id,
            "customer_id": order.channel_end_customer_id.id or None,
            "tender_reference": order.channel_tender_reference or None,
            "requested_date": requested.isoformat() if requested else None,
            "note": order.channel_dealer_note or None,
            **told,
        }
