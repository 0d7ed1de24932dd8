from odoo import api, fields, models
from odoo.tools import html2plaintext


class ChannelContractClauseLine(models.Model):
    _name = "channel.contract.clause.line"
    _description = "Clause of a Contract Version"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _rec_name = "title"
    _version_field = "version_id"
    _version_key_fields = ("title",)

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    number = fields.Integer(compute="_compute_number", aggregator=None, help="Place among the clauses of the version.")
    clause_id = fields.Many2one(
        "channel.clause", string="From the Library", index="btree_not_null", ondelete="restrict"
    )
    title = fields.Char(required=True)
    body = fields.Html()
    is_deviating = fields.Boolean(
        string="Differs from Library",
        compute="_compute_is_deviating",
        help="The text is not the library's, as that reads today.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("version_id.clause_ids.sequence")
    def _compute_number(self):
        self.number = 0
        for version, lines in self.grouped("version_id").items():
            places = {line: place for place, line in enumerate(version.clause_ids, 1)}
            for line in lines:
                line.number = places.get(line, places.get(line._origin, 0))

    @api.depends_context("lang")
    @api.depends("clause_id", "clause_id.body", "body")
    def _compute_is_deviating(self):
        for line in self:
            # sudo: a text that the user reads in the contract; the library may belong to another company's people
            standard = line.clause_id.sudo().body
            line.is_deviating = bool(line.clause_id) and _words(standard) != _words(line.body)

    # === ONCHANGE METHODS ===#

    @api.onchange("clause_id")
    def _onchange_clause_id(self):
        if self.clause_id:
            self.update(self.clause_id._prepare_clause_line_vals()[0])


def _words(html):
    """The text of a clause as words, to compare what is said and not how it is laid out."""
    return html2plaintext(html or "").split()
