from odoo import api, fields, models


class ChannelContractTemplateLine(models.Model):
    _name = "channel.contract.template.line"
    _description = "Clause of a Contract Template"
    _order = "template_id, sequence, id"
    _rec_name = "clause_id"

    template_id = fields.Many2one("channel.contract.template", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    clause_id = fields.Many2one("channel.clause", required=True, index=True, ondelete="restrict")
    category_id = fields.Many2one(
        "channel.clause.category",
        string="Section",
        compute="_compute_category_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Printed as a heading before the first of its clauses.",
    )
    mandatory = fields.Boolean(related="clause_id.mandatory")
    optional = fields.Boolean(help="Whoever applies the template chooses it; otherwise it is always taken.")
    preselected = fields.Boolean(compute="_compute_preselected")

    _clause_uniq = models.UniqueIndex("(template_id, clause_id)", "The clause is in the template already.")

    @api.depends("clause_id")
    def _compute_category_id(self):
        for line in self:
            line.category_id = line.category_id or line.clause_id.category_id

    @api.depends("optional", "clause_id.mandatory")
    def _compute_preselected(self):
        for line in self:
            line.preselected = line.clause_id.mandatory or not line.optional
