from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from .channel_acceptance_line import REASONS


class ChannelClaimLine(models.Model):
    """How much of one accepted or refused line is claimed, and why."""

    _name = "channel.claim.line"
    _description = "Line of a Claim"
    _order = "claim_id, id"
    _rec_name = "product_id"

    claim_id = fields.Many2one("channel.claim", required=True, ondelete="cascade", index=True)
    acceptance_id = fields.Many2one(related="claim_id.acceptance_id")
    company_id = fields.Many2one(related="claim_id.company_id", store=True, precompute=True)
    acceptance_line_id = fields.Many2one(
        "channel.acceptance.line", string="Delivered", required=True, ondelete="restrict", index=True,
        domain="[('acceptance_id', '=', acceptance_id)]",
    )
    product_id = fields.Many2one(related="acceptance_line_id.product_id", store=True, precompute=True)
    lot_id = fields.Many2one(related="acceptance_line_id.lot_id", store=True, precompute=True)
    uom_id = fields.Many2one(related="product_id.uom_id")
    quantity = fields.Float(digits="Product Unit", required=True)
    reason = fields.Selection(REASONS, required=True)
    note = fields.Char()

    _quantity_positive = models.Constraint("CHECK (quantity > 0)", "The quantity of a claim lies above 0.")

    def write(self, vals):
        if any(line.claim_id.state == "approved" for line in self):
            raise UserError(self.env._("The claim is decided: its lines stay as they are."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        if any(line.claim_id.state == "approved" for line in self):
            raise UserError(self.env._("The claim is decided: its lines stay as they are."))

    @api.constrains("quantity", "acceptance_line_id")
    def _check_quantity(self):
        """A difference claims what was refused, a return what was accepted, in its time; nothing twice."""
        taken = {}
        # sudo: what was claimed already does not depend on which claims the user may read
        for delivered, claim, quantity in self.sudo()._read_group(
            [
                ("acceptance_line_id", "in", self.acceptance_line_id.ids), ("claim_id.state", "!=", "cancelled"),
                "|", ("claim_id.decision", "=", False), ("claim_id.decision", "!=", "reject"),
            ],
            ["acceptance_line_id", "claim_id"], ["quantity:sum"],
        ):
            key = (delivered.id, claim.kind)
            taken[key] = taken.get(key, 0.0) + quantity
        for line in self:
            claim, delivered = line.claim_id, line.acceptance_line_id
            if delivered.acceptance_id != claim.acceptance_id or not claim.acceptance_id.accepted_at:
                raise ValidationError(self.env._(
                    "%(product)s is no line of the accepted delivery %(delivery)s.",
                    product=line.product_id.display_name, delivery=claim.acceptance_id.picking_id.name,
                ))
            there = delivered.refused_quantity if claim.kind == "difference" else delivered.accepted_quantity
            if line.uom_id.compare(taken.get((delivered.id, claim.kind), 0.0), max(there, 0.0)) > 0:
                raise ValidationError(self.env._(
                    "%(product)s %(lot)s: %(taken)s are claimed in all, %(there)s were %(what)s. Claim less, or cancel "
                    "another claim.",
                    product=line.product_id.display_name, lot=line.lot_id.name or "",
                    taken=taken[delivered.id, claim.kind], there=max(there, 0.0),
                    what=self.env._("refused") if claim.kind == "difference" else self.env._("accepted"),
                ))
            days = claim.company_id.channel_return_days
            if claim.kind == "return" and days:
                last = fields.Datetime.context_timestamp(self, claim.acceptance_id.accepted_at).date()
                last += timedelta(days=days)
                if claim.date > last:
                    raise ValidationError(self.env._(
                        "%(name)s: goods come back within %(days)s days after the acceptance, that is until %(last)s.",
                        name=claim.name, days=days, last=format_date(self.env, last),
                    ))
