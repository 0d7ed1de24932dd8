from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

REASONS = [("recall", "Recall"), ("quality", "Quality"), ("expired", "Expired")]


class ChannelLotHold(models.Model):
    """A lot that may not leave: recalled, in doubt, or expired. It is neither reserved nor delivered until released.

    Somebody else releases it than who held it. What has expired is held by itself and is never released.
    """

    _name = "channel.lot.hold"
    _description = "Lot on Hold"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _rec_name = "lot_id"
    _check_company_auto = True

    lot_id = fields.Many2one("stock.lot", required=True, ondelete="restrict", index=True)
    product_id = fields.Many2one(related="lot_id.product_id", store=True, precompute=True, index=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    reason = fields.Selection(REASONS, required=True, default="quality", tracking=True)
    note = fields.Char(string="Why", required=True, help="Number of the recall, complaint or finding.")
    state = fields.Selection(
        [("held", "Held"), ("released", "Released")], required=True, readonly=True, default="held", copy=False,
        tracking=True, index=True,
    )
    released_by_id = fields.Many2one("res.users", string="Released by", readonly=True, copy=False)
    released_at = fields.Datetime(string="Released on", readonly=True, copy=False)
    release_note = fields.Char(string="Why It Is Released", copy=False)
    on_hand = fields.Float(compute="_compute_on_hand", digits="Product Unit", help="In warehouses and with customers.")

    _held_once = models.UniqueIndex(
        "(lot_id, company_id, reason) WHERE state = 'held'", "This lot is held for this reason already."
    )

    def _compute_on_hand(self):
        # sudo: how much of a lot there is does not depend on which stock the user may read
        sums = dict(self.env["stock.quant"].sudo()._read_group(
            [("lot_id", "in", self.lot_id.ids), ("location_id.usage", "=", "internal")], ["lot_id"], ["quantity:sum"]
        ))
        for hold in self:
            hold.on_hand = sums.get(hold.lot_id.sudo(), 0.0)

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        holds = super().create(vals_list)
        self.env["channel.audit.entry"]._record(
            "lot.held", holds, after={
                hold.id: {"lot": hold.lot_id.name, "product": hold.product_id.display_name, "reason": hold.reason,
                          "note": hold.note}
                for hold in holds
            },
        )
        return holds

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        if self:
            raise UserError(self.env._("Holds of lots are evidence: release them instead."))

    # === PUBLIC METHODS === #

    @api.model
    def hold(self, lot_ids, reason, note):
        """Hold lots; those that are held for this reason already stay as they are.

        :param list lot_ids: ``stock.lot``
        :param str reason: ``recall`` or ``quality``
        :param str note: number of the recall, complaint or finding
        :return: list of dicts ``lot_id``, ``lot``, ``on_hand`` and ``delivered``: list of dicts ``delivery``,
            ``partner``, ``quantity``, ``date`` of what has left for customers, the newest first
        :raise ValidationError: no such lot or reason, or no note
        """
        lots = self.env["stock.lot"].browse(lot_ids).exists()
        if len(lots) < len(set(lot_ids or [])) or not lots:
            missing = sorted(set(lot_ids or []) - set(lots.ids))
            raise ValidationError(self.env._("lot_ids: there are no lots %s.", missing))
        if reason not in ("recall", "quality") or not (note or "").strip():
            raise ValidationError(self.env._("reason: give recall or quality; note: say why the lots are held."))
        known = self.search([("lot_id", "in", lots.ids), ("reason", "=", reason), ("state", "=", "held")]).lot_id
        self.create([{"lot_id": lot.id, "reason": reason, "note": note.strip()} for lot in lots - known])
        return [lot._channel_whereabouts() for lot in lots]

    # === ACTIONS === #

    def action_release(self):
        """Let the lots leave again."""
        if not (self.env.user.has_group("channel_base.group_channel_compliance") or self.env.su):
            raise AccessError(self.env._("Lots are released by Compliance."))
        for hold in self:
            if hold.state != "held":
                raise UserError(self.env._("%s is released already.", hold.lot_id.name))
            if hold.reason == "expired":
                raise UserError(self.env._(
                    "%s has expired. If its day of expiry is wrong, correct it on the lot.", hold.lot_id.name
                ))
            if hold.create_uid == self.env.user:
                raise UserError(self.env._("%s is released by somebody else than who held it.", hold.lot_id.name))
            if not (hold.release_note or "").strip():
                raise UserError(self.env._("Why It Is Released: say what was found about %s.", hold.lot_id.name))
        self.write({"state": "released", "released_by_id": self.env.uid, "released_at": fields.Datetime.now()})
        self.env["channel.audit.entry"]._record(
            "lot.released", self, after={hold.id: {"lot": hold.lot_id.name, "note": hold.release_note} for hold in self}
        )
        return True

    def action_where(self):
        """Where the lots have gone."""
        return {
            "type": "ir.actions.act_window", "name": self.env._("Movements"), "res_model": "stock.move.line",
            "view_mode": "list,form", "domain": [("lot_id", "in", self.lot_id.ids), ("state", "=", "done")],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _cron_expired(self):
        """Hold what has expired and is still in a warehouse; free what was held by a day that has been corrected."""
        # sudo: of all companies, as a scheduled action
        Hold, now = self.sudo(), fields.Datetime.now()
        wrong = Hold.search([("state", "=", "held"), ("reason", "=", "expired")]).filtered(
            lambda hold: not hold.lot_id.expiration_date or hold.lot_id.expiration_date > now
        )
        wrong.write({
            "state": "released", "released_at": now, "release_note": self.env._("The day of expiry was corrected."),
        })
        rows = self.env["stock.quant"].sudo()._read_group(
            [
                ("lot_id.expiration_date", "<=", now), ("quantity", ">", 0), ("location_id.usage", "=", "internal"),
                ("company_id", "!=", False),
            ],
            ["company_id", "lot_id"],
        )
        held = {
            (hold.company_id.id, hold.lot_id.id)
            for hold in Hold.search([("state", "=", "held"), ("reason", "=", "expired")])
        }
        expired = [(company, lot) for company, lot in rows if (company.id, lot.id) not in held]
        holds = Hold.create([
            {
                "company_id": company.id, "lot_id": lot.id, "reason": "expired",
                "note": self.env._("Expired on %s", fields.Date.to_string(lot.expiration_date)),
            }
            for company, lot in expired
        ])
        self.env["channel.alert"]._raise_alerts("channel_lot_hold", [
            {
                "key": f"expired-{hold.id}", "severity": "warning", "record": hold, "company": hold.company_id,
                "name": self.env._(
                    "Lot %(lot)s of %(product)s has expired and is in stock",
                    lot=hold.lot_id.name, product=hold.product_id.display_name,
                ),
            }
            for hold in holds
        ])
