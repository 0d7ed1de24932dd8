import base64

from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelAccountMatch(models.Model):
    """A statement compared with one ledger of the dealer: the file, how many documents agree, who did it.

    What does not agree is a difference, and a task for the accountant. A later file of the same currency takes the
    place of an earlier one: what was open of that is solved, and said again if it is still so.
    """

    _name = "channel.account.match"
    _description = "Statement of Account Compared with the Dealer's Ledger"
    _order = "id desc"
    _rec_name = "file_name"

    statement_id = fields.Many2one("channel.account.statement", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="statement_id.company_id", store=True, precompute=True)
    member_id = fields.Many2one(related="statement_id.member_id", store=True, precompute=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, compute="_compute_currency_id", store=True, readonly=False, precompute=True
    )
    file = fields.Binary(string="Dealer's Ledger", required=True, attachment=True)
    file_name = fields.Char(required=True)
    tolerance = fields.Float(
        digits=(16, 2), default=0.01, help="Difference of a document up to which it counts as matched."
    )
    days = fields.Integer(
        string="Days Apart", default=0, help="How far the two dates of a document may lie apart. Dates are compared "
        "where the file has them."
    )
    matched_count = fields.Integer(string="Documents that Agree", readonly=True)
    difference_ids = fields.One2many("channel.account.difference", "match_id", string="Differences", readonly=True)
    bad_rows = fields.Text(string="Rows Left out", readonly=True)

    _tolerance_positive = models.Constraint(
        "CHECK (tolerance >= 0 AND days >= 0)", "Tolerance and Days Apart cannot be below 0."
    )

    @api.depends("statement_id")
    def _compute_currency_id(self):
        for match in self:
            rows = (match.statement_id.content or {}).get("currencies", [])
            currencies = match.statement_id._currencies()
            match.currency_id = currencies[rows[0]["currency"]] if rows else match.statement_id.company_id.currency_id

    @api.model_create_multi
    def create(self, vals_list):
        matches = super().create(vals_list)
        for match in matches:
            match._compare()
        return matches

    def write(self, vals):
        if {"statement_id", "currency_id", "file", "tolerance", "days"} & vals.keys():
            raise UserError(self.env._("A comparison stays as it was made: compare another file."))
        return super().write(vals)

    def _compare(self):
        """Make the differences of the file. A file that cannot be read raises, and nothing is kept of it."""
        self.ensure_one()
        statement = self.statement_id
        if statement.state not in ("sent", "disputed"):
            raise UserError(self.env._("%s is not with the dealer: it is not compared.", statement.display_name))
        found = statement._match_file(
            base64.b64decode(self.file or b""), self.currency_id, self.tolerance, self.days
        )
        statement.difference_ids.filtered(
            lambda difference: difference.kind == "match" and difference.currency_id == self.currency_id
        )._solve(self.env._("Compared again."))
        # sudo: nobody writes comparisons; these two are the result of this one
        self.sudo().write({
            "matched_count": found["counts"]["matched"],
            "bad_rows": "\n".join(
                self.env._("Row %(row)s: %(reason)s", row=bad["row"], reason=bad["reason"]) for bad in found["bad"]
            ),
        })
        self.env["channel.account.difference"].create([
            {
                "statement_id": statement.id, "match_id": self.id, "kind": "match", "result": row["result"],
                "line_key": row["own"] and row["own"]["key"], "currency_id": self.currency_id.id,
                "document": row["own"] and row["own"]["document"],
                "their_document": row["their"] and row["their"]["document"],
                "ours": row["own"] and row["own"]["amount"], "theirs": row["their"] and row["their"]["amount"],
                "their_date": row["their"] and row["their"]["date"], "difference": row["difference"],
            }
            for row in found["rows"] if row["result"] != "matched"
        ])
