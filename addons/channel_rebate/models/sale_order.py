from markupsafe import Markup

from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_rebate_progress = fields.Html(
        string="Rebates of the Member", compute="_compute_channel_rebate_progress", sanitize=False,
        groups="channel_base.group_channel_sales,channel_base.group_channel_finance",
        help="How far the windows of today are on the way to their next tiers, this order counted in.",
    )

    @api.depends("partner_id", "amount_untaxed", "state")
    def _compute_channel_rebate_progress(self):
        Balance = self.env["channel.rebate.balance"]
        today = fields.Date.context_today(self)
        for order in self:
            order.channel_rebate_progress = False
            if len(self) > 1 or order.state not in ("draft", "sent") or not order.partner_id:
                continue  # one form shows it, lists need not be slowed down by it
            balances = Balance._current(order.partner_id, today).filtered(
                lambda balance, order=order: balance.company_id == order.company_id
            )
            words = []
            for balance in balances:
                # sudo: the balance is one that the user reads; terms of its version are told in words only
                balance = balance.sudo()
                more = 0.0
                if balance.version_id._measures_money():
                    more = order.currency_id._convert(
                        order.amount_untaxed, balance.currency_id, order.company_id, today
                    )
                [progress] = balance._progress(today, more)
                if progress["to_go"] is not None:
                    words.append(balance._progress_words(progress))
            if words:
                order.channel_rebate_progress = Markup("<ul class='mb-0 ps-3'>%s</ul>") % Markup().join(
                    Markup("<li>%s</li>") % text for text in words
                )
