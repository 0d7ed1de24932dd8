from odoo import fields, models


class ChannelContractTemplate(models.Model):
    """Which clauses of the library a contract is made of, in which order. The texts are the library's."""

    _name = "channel.contract.template"
    _description = "Contract Template"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty: for every company.")
    type_ids = fields.Many2many(
        "channel.contract.type", string="Only for Types", help="Empty: for contracts of every type."
    )
    line_ids = fields.One2many("channel.contract.template.line", "template_id", string="Clauses", copy=True)
    note = fields.Text(string="When to Use", translate=True)

    def _applicable_lines(self, contracts):
        """:returns: ``{contract_id: lines}`` of the clauses that apply to each contract, in order"""
        clauses = self.line_ids.clause_id._applicable(contracts, [("id", "in", self.line_ids.clause_id.ids)])
        return {
            contract.id: self.line_ids.filtered(lambda line, kept=clauses[contract.id]: line.clause_id in kept)
            for contract in contracts
        }
