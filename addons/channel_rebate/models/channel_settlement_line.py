from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools.schema import add_column


class ChannelSettlementLine(models.Model):
    _name = "channel.settlement.line"
    _description = "Rebate Settlement Line"
    _order = "settlement_id, window_start, id"
    _rec_name = "balance_id"

    settlement_id = fields.Many2one("channel.settlement", required=True, ondelete="cascade", index=True)
    balance_id = fields.Many2one(
        "channel.rebate.balance", string="Window", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="settlement_id.company_id")
    currency_id = fields.Many2one(related="settlement_id.currency_id")
    window_start = fields.Date(related="balance_id.window_start", store=True)
    window_end = fields.Date(related="balance_id.window_end")
    # Snapshots: they follow the choice of the window, not what happens to its balance afterwards.
    entitlement = fields.Monetary(
        compute="_compute_figures", store=True, precompute=True,
        help="Earned, and corrections of it, when the settlement was drafted.",
    )
    settled_before = fields.Monetary(
        compute="_compute_figures",
        store=True,
        precompute=True,
        help="Settled by earlier documents when this one was drafted.",
    )
    held = fields.Monetary(
        string="On Hold", compute="_compute_figures", store=True, precompute=True,
        help="Kept back from what is open when the settlement was drafted.",
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        help="Entitlement less what was settled before and what is on hold: credited if positive, charged back if "
        "negative.",
    )

    _balance_once = models.UniqueIndex(
        "(settlement_id, balance_id)", "A window appears on a settlement once: its lines would be paid twice."
    )

    def _auto_init(self):
        # Nothing was on hold before there were holds.
        add_column(self.env.cr, self._table, "held", "numeric", 0)
        return super()._auto_init()

    @api.depends("balance_id")
    def _compute_figures(self):
        figures = self._figures()
        for line in self:
            line.update(figures.get(line.balance_id.id, {"entitlement": 0.0, "settled_before": 0.0, "held": 0.0}))

    @api.depends("entitlement", "settled_before", "held")
    def _compute_amount(self):
        for line in self:
            line.amount = line.currency_id.round(line.entitlement - line.settled_before - line.held)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_draft()
        lines._take_figures()
        return lines

    def write(self, vals):
        if {"settlement_id", "balance_id"} & vals.keys():
            raise UserError(self.env._("A settlement line keeps its window: delete it and add another one."))
        if {"entitlement", "settled_before", "held"} & vals.keys():
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        self._check_draft()

    def _check_draft(self):
        for settlement in self.settlement_id:
            if settlement.state != "draft":
                raise UserError(
                    self.env._("%s is not a draft any more: its windows cannot be changed.", settlement.display_name)
                )

    def _take_figures(self):
        """Remember what the balances say now. The amount follows; nobody types it in."""
        figures = self._figures()
        for line in self:
            line.write(figures[line.balance_id.id])

    def _document_label(self):
        """How the line reads on the credit note or invoice."""
        self.ensure_one()
        words = {
            "program": self.settlement_id.program_id.name,
            "window": self.balance_id._window_name(),
            "entitlement": self.currency_id.format(self.entitlement),
            "before": self.currency_id.format(self.settled_before),
        }
        if self.currency_id.is_zero(self.held):
            return self.env._("Rebate %(program)s %(window)s: %(entitlement)s less %(before)s settled before", **words)
        return self.env._(
            "Rebate %(program)s %(window)s: %(entitlement)s less %(before)s settled before and %(held)s on hold",
            held=self.currency_id.format(self.held), **words,
        )

    def _goods_quantity(self):
        """What the amount comes to in free goods.

        :return: ``(product, quantity)``
        :raise UserError: when the programme pays no goods, or the amount is no whole number of units
        """
        self.ensure_one()
        version = self.balance_id.version_id
        if version.payout != "goods" or not version.goods_product_id or not version.goods_value:
            raise UserError(self.env._(
                "%(window)s was not earned in free goods: settle it in another form, or in a settlement of its own.",
                window=self.balance_id.display_name,
            ))
        quantity = self.amount / version.goods_value
        if abs(quantity - round(quantity)) * version.goods_value >= self.currency_id.rounding:
            raise UserError(self.env._(
                "%(window)s: %(amount)s are %(quantity)s units of %(product)s at %(value)s. Correct the amount, or "
                "settle it in another form.",
                window=self.balance_id.display_name,
                amount=self.currency_id.format(self.amount),
                quantity=f"{quantity:.2f}",
                product=version.goods_product_id.display_name,
                value=self.currency_id.format(version.goods_value),
            ))
        return version.goods_product_id, float(round(quantity))

    def _figures(self):
        """What the balances say now: ``{balance id: {name of the field: amount}}``."""
        held = self.env["channel.rebate.hold"]._held(self.balance_id)
        return {
            balance.id: {
                "entitlement": balance.entitled_amount,
                "settled_before": balance.settled_amount,
                "held": held[balance.id][0] if balance.id in held else 0.0,
            }
            for balance in self.balance_id
        }
