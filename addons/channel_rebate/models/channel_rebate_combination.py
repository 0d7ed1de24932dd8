from odoo import fields, models


class ChannelRebateCombination(models.Model):
    """Programmes that share lines, and how.

    * *Compound*: each is paid on what the earlier ones leave of a line.
    * *Reduction principle*: the same, but each version says whether it is reduced, for what, and whether it reduces.
    * *Exclusive*: a line belongs to the first that counts it, and counts for no other.
    * *Best*: a line counts for all, and is paid by the one that grants most on it; the earlier one when equal.
    """

    _name = "channel.rebate.combination"
    _description = "Combination of Programmes"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    method = fields.Selection(
        [
            ("compound", "Compound: each on what the earlier ones leave"),
            ("reduction", "Reduction principle: as each version says"),
            ("exclusive", "Exclusive: the first that counts a line"),
            ("best", "Best: the one that grants most on a line"),
        ],
        required=True,
        default="compound",
    )
    version_ids = fields.One2many("channel.rebate.program.version", "combination_id", string="Versions")
