from odoo import fields, models


class ChannelRebateVersionCombinationMixin(models.AbstractModel):
    """How programmes that look at the same line go together. Order is stored, never accidental."""

    _name = "channel.rebate.version.combination.mixin"
    _description = "Rebate Terms: Combination"

    combination_id = fields.Many2one(
        "channel.rebate.combination",
        string="Combined with",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Empty: additive, each programme on the original line.",
    )
    combination_order = fields.Integer(
        string="Place in the Combination", default=10, help="Smaller ones are calculated first."
    )
    reduction_apply = fields.Boolean(
        string="Is Reduced", default=True, help="What earlier programmes grant lowers what this one is paid on."
    )
    reduction_basis = fields.Selection(
        [("provision", "Provision"), ("rebate", "Rebate"), ("both", "Provision and rebate")],
        string="Is Reduced for",
        required=True,
        default="both",
    )
    reduction_exclude = fields.Boolean(
        string="Reduces Nothing", help="What this programme grants does not lower what later ones are paid on."
    )
