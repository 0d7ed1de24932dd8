from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

#: Why a line is not accepted as it was delivered
REASONS = [
    ("short", "Less than delivered"),
    ("over", "More than delivered"),
    ("damaged", "Damaged"),
    ("wrong_product", "Another product"),
    ("wrong_lot", "Another lot"),
    ("near_expiry", "Expires too soon"),
    ("temperature", "Out of the temperature range"),
    ("document", "Documents are missing"),
    ("other", "Other"),
]


class ChannelAcceptanceLine(models.Model):
    """One product and lot of a delivery, and what its receiver found."""

    _name = "channel.acceptance.line"
    _description = "Line of an Acceptance"
    _order = "acceptance_id, id"
    _rec_name = "product_id"

    acceptance_id = fields.Many2one(
        "channel.acceptance", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="acceptance_id.company_id", store=True, precompute=True)
    state = fields.Selection(related="acceptance_id.state")
    move_line_id = fields.Many2one("stock.move.line", readonly=True, ondelete="set null", index="btree_not_null")
    product_id = fields.Many2one("product.product", required=True, readonly=True, ondelete="restrict", index=True)
    lot_id = fields.Many2one("stock.lot", readonly=True, ondelete="restrict", index="btree_not_null")
    expiry = fields.Datetime(related="lot_id.expiration_date", string="Expires on")
    uom_id = fields.Many2one(related="product_id.uom_id")
    quantity = fields.Float(string="Delivered", digits="Product Unit", readonly=True)
    accepted_quantity = fields.Float(string="Accepted", digits="Product Unit", readonly=True, aggregator="sum")
    refused_quantity = fields.Float(
        string="Not Accepted", digits="Product Unit", compute="_compute_refused_quantity", store=True,
        help="Delivered less accepted, once it is answered; negative: more was there.",
    )
    reason = fields.Selection(REASONS, readonly=True)
    is_intact = fields.Boolean(string="Looks as It Should", readonly=True, default=True)
    has_temperature = fields.Boolean(string="Temperature Read", readonly=True)
    temperature = fields.Float(string="Temperature (°C)", digits=(6, 2), readonly=True)
    read_lot = fields.Char(string="Lot Read", readonly=True, help="The lot that the receiver read on the label.")
    note = fields.Char(readonly=True)

    _accepted_positive = models.Constraint(
        "CHECK (accepted_quantity >= 0)", "Less than nothing cannot be accepted."
    )

    @api.depends("quantity", "accepted_quantity", "acceptance_id.state")
    def _compute_refused_quantity(self):
        for line in self:
            answered = line.acceptance_id.state in ("accepted", "differs")
            line.refused_quantity = line.quantity - line.accepted_quantity if answered else 0.0

    def write(self, vals):
        if any(line.state in ("accepted", "differs") for line in self):
            raise UserError(self.env._("The acceptance is signed: its lines stay as they are."))
        return super().write(vals)

    def _differs(self):
        self.ensure_one()
        return bool(self.uom_id.compare(self.accepted_quantity, self.quantity)) or bool(self.reason)

    def _check_answer(self):
        """Refuse an answer that contradicts itself, naming the line."""
        for line in self:
            about = {"product": line.product_id.display_name, "lot": line.lot_id.name or ""}
            less = line.uom_id.compare(line.accepted_quantity, line.quantity)
            if less and not line.reason:
                raise ValidationError(self.env._(
                    "%(product)s %(lot)s: %(accepted)s of %(quantity)s are accepted; say why not all.",
                    accepted=line.accepted_quantity, quantity=line.quantity, **about,
                ))
            if less > 0 and line.reason != "over":
                raise ValidationError(self.env._(
                    "%(product)s %(lot)s: more than the %(quantity)s delivered is accepted only where more was there; "
                    "choose “More than delivered”.", quantity=line.quantity, **about,
                ))
            read = (line.read_lot or "").strip()
            if read and line.lot_id and read != line.lot_id.name and line.reason != "wrong_lot":
                raise ValidationError(self.env._(
                    "%(product)s: lot %(read)s was read, %(lot)s was delivered. Scan it again, or refuse the line as "
                    "“Another lot”.", read=line.read_lot, **about,
                ))
            if not line.is_intact and not line.reason:
                raise ValidationError(self.env._(
                    "%(product)s %(lot)s does not look as it should: choose a reason.", **about
                ))

    def _difference_json(self):
        self.ensure_one()
        return {
            "product": self.product_id.display_name, "lot": self.lot_id.name or None, "delivered": self.quantity,
            "accepted": self.accepted_quantity, "reason": self.reason or None, "note": self.note or None,
        }
