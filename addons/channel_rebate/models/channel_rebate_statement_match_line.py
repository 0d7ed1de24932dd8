from odoo import fields, models

from .channel_rebate_statement_match import RESULTS


class ChannelRebateStatementMatchLine(models.Model):
    """One document of a statement, of the payee's file, or of both."""

    _name = "channel.rebate.statement.match.line"
    _description = "Document of a Compared Rebate Statement"
    _order = "match_id, id"
    _rec_name = "document"

    match_id = fields.Many2one("channel.rebate.statement.match", required=True, ondelete="cascade", index=True)
    result = fields.Selection(RESULTS, required=True)
    document = fields.Char()
    their_document = fields.Char(string="Payee's Document")
    date = fields.Date()
    their_date = fields.Date(string="Payee's Date")
    ours = fields.Float(string="Statement", digits=(16, 2))
    theirs = fields.Float(string="Payee", digits=(16, 2))
    difference = fields.Float(digits=(16, 2))
    balance_id = fields.Many2one("channel.rebate.balance", string="Window", ondelete="set null")
    entry_ref = fields.Integer(string="Rebate Entry", help="Id of the line in the statement.", aggregator=None)
