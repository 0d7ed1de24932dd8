from odoo import api, fields, models
from odoo.exceptions import UserError


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
        compute="_compute_figures", store=True, precompute=True, help="Entitlement when the settlement was drafted."
    )
    settled_before = fields.Monetary(
        compute="_compute_figures",
        store=True,
        precompute=True,
        help="Settled by earlier documents when this one was drafted.",
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        help="Entitlement less what was settled before: credited if positive, charged back if negative.",
    )

    _balance_once = models.UniqueIndex(
        "(settlement_id, balance_id)", "A window appears on a settlement once: its lines would be paid twice."
    )

    @api.depends("balance_id")
    def _compute_figures(self):
        for line in self:
            line.entitlement = line.balance_id.entitlement
            line.settled_before = line.balance_id.settled_amount

    @api.depends("entitlement", "settled_before")
    def _compute_amount(self):
        for line in self:
            line.amount = line.currency_id.round(line.entitlement - line.settled_before)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_draft()
        lines._take_figures()
        return lines

    def write(self, vals):
        if {"settlement_id", "balance_id"} & vals.keys():
            raise UserError(self.env._("A settlement line keeps its window: delete it and add another one."))
        if {"entitlement", "settled_before"} & vals.keys():
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
        for line in self:
            line.write({"entitlement": line.balance_id.entitlement, "settled_before": line.balance_id.settled_amount})
