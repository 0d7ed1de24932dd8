from odoo import fields, models


class ChannelClause(models.Model):
    """A clause of the library: the text from which clauses of contract versions are copied.

    A contract version keeps its own copy, so that editing the library never changes what was agreed.
    """

    _name = "channel.clause"
    _description = "Contract Clause"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(string="Title", required=True, translate=True, tracking=True)
    code = fields.Char(index="btree_not_null", copy=False, tracking=True)
    sequence = fields.Integer(default=10, help="Where it stands in a contract that takes several from the library.")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty: for every company.")
    contract_type = fields.Selection(
        lambda self: self.env["channel.contract.type"]._selection_codes(),
        string="Only for Type",
        help="Empty: for contracts of every type.",
    )
    mandatory = fields.Boolean(
        tracking=True, help="New contracts of the type start with it; a version without it cannot be approved."
    )
    body = fields.Html(required=True, translate=True)

    _code_uniq = models.UniqueIndex("(code) WHERE code IS NOT NULL", "There is already a clause with this code.")

    def _prepare_clause_line_vals(self):
        """:returns: values of a line of a contract version, for each clause of `self`"""
        return [
            {"clause_id": clause.id, "sequence": clause.sequence, "title": clause.name, "body": clause.body}
            for clause in self
        ]
