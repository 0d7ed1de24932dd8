from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelRebateFigure(models.Model):
    """A number agreed with, or reported by, one payee: baseline, target, size of the market, guarantee.

    Counts once somebody else than its author approved it. Of two that hold for a window the one approved last counts;
    adjustments of the baseline add up.
    """

    _name = "channel.rebate.figure"
    _description = "Agreed Figure"
    _inherit = ["channel.approval.mixin"]
    _order = "program_id, member_id, kind, date_from, id"
    _rec_name = "kind"
    _check_company_auto = True

    program_id = fields.Many2one(
        "channel.rebate.program", string="Programme", required=True, ondelete="cascade", index=True, check_company=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, precompute=True)
    member_id = fields.Many2one("res.partner", string="Payee", required=True, ondelete="restrict", index=True)
    kind = fields.Selection(
        [
            ("baseline", "Baseline"),
            ("adjustment", "Adjustment of the baseline"),
            ("target", "Target"),
            ("market", "All purchases of the category"),
            ("guarantee", "Guarantee"),
            ("variable", "Variable of the formula"),
        ],
        required=True,
        default="target",
    )
    name = fields.Char(string="Note", help="Where the number comes from.")
    date_from = fields.Date(required=True, help="First day of the first window that it holds for.")
    date_to = fields.Date(help="Last day of the last window. Empty: until further notice.")
    value = fields.Float(required=True, digits=(16, 6), min_display_digits=2, help="For each window.")

    _dates_order = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)", "A figure cannot end before it begins."
    )

    def _approval_terms(self):
        return ["program_id", "member_id", "kind", "date_from", "date_to", "value"]

    @api.constrains("value", "kind")
    def _check_value(self):
        for figure in self:
            if figure.value < 0 and figure.kind not in ("adjustment", "variable"):
                raise ValidationError(
                    self.env._(
                        "The figure of %(member)s is %(value)s: only an adjustment or a variable can be negative.",
                        member=figure.member_id.display_name,
                        value=f"{figure.value:g}",
                    )
                )
