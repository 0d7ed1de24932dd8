import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

RESULTS = [
    ("different", "Different"),
    ("dated", "Another date"),
    ("ours", "Only in the statement"),
    ("theirs", "Only in the payee's file"),
    ("matched", "Matched"),
]


class ChannelRebateStatementMatch(models.Model):
    """A statement compared with one file of the payee, as it was compared: the file, what differs, who did it."""

    _name = "channel.rebate.statement.match"
    _description = "Rebate Statement Compared with the Payee's File"
    _order = "id desc"
    _rec_name = "file_name"

    statement_id = fields.Many2one("channel.rebate.statement", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="statement_id.company_id", store=True, precompute=True)
    member_id = fields.Many2one(related="statement_id.member_id", store=True, precompute=True)
    file = fields.Binary(string="Payee's File", required=True, attachment=True)
    file_name = fields.Char(required=True)
    tolerance = fields.Float(
        digits=(16, 2), default=0.01, help="Difference of a document up to which it counts as matched, in the currency "
        "of the statement."
    )
    days = fields.Integer(
        string="Days Apart", default=0, help="How far the two dates of a document may lie apart. Dates are compared "
        "where the file has them."
    )
    line_ids = fields.One2many("channel.rebate.statement.match.line", "match_id", string="Documents", readonly=True)
    bad_rows = fields.Text(string="Rows Left out", readonly=True)
    difference = fields.Float(
        digits=(16, 2), compute="_compute_difference", store=True, help="Payee's file less statement, of all documents."
    )
    open_count = fields.Integer(string="Documents that Differ", compute="_compute_difference", store=True)

    @api.depends("line_ids.difference", "line_ids.result")
    def _compute_difference(self):
        for match in self:
            match.difference = sum(match.line_ids.mapped("difference"))
            match.open_count = len(match.line_ids.filtered(lambda line: line.result != "matched"))

    @api.constrains("tolerance", "days")
    def _check_tolerance(self):
        for match in self:
            if match.tolerance < 0 or match.days < 0:
                raise UserError(self.env._("Tolerance and Days Apart cannot be below 0."))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        matches = super().create(vals_list)
        for match in matches:
            match._compare()
        return matches

    def write(self, vals):
        result = super().write(vals)
        if {"file", "tolerance", "days"} & vals.keys():
            for match in self:
                match._compare()
        return result

    # === BUSINESS METHODS === #

    def _compare(self):
        """Take the documents anew from the file. A file that cannot be read raises, and nothing is kept of it."""
        self.ensure_one()
        found = self.statement_id._match_file(base64.b64decode(self.file or b""), self.tolerance, self.days)
        self.write({
            "line_ids": [Command.clear(), *(
                Command.create({
                    "result": row["result"], "document": row["document"], "their_document": row["their_document"],
                    "date": row["date"], "their_date": row["their_date"],
                    "ours": row["ours"], "theirs": row["theirs"], "difference": row["difference"],
                    "balance_id": row["balance_id"], "entry_ref": row["entry_id"],
                })
                for row in found["rows"]
            )],
            "bad_rows": "\n".join(
                self.env._("Row %(row)s: %(reason)s", row=bad["row"], reason=bad["reason"]) for bad in found["bad"]
            ),
        })
        return found
