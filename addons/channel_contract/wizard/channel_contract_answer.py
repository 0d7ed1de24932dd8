from odoo import fields, models


class ChannelContractAnswer(models.TransientModel):
    """What the company answers to a comment of the member."""

    _name = "channel.contract.answer"
    _description = "Answer to a Comment"

    comment_id = fields.Many2one("channel.contract.comment", required=True, readonly=True, ondelete="cascade")
    question = fields.Text(related="comment_id.body", string="What Was Said")
    body = fields.Text(string="Answer", required=True)
    resolve = fields.Boolean(string="And Resolve the Thread", default=False)

    def action_send(self):
        """Answer, visibly to the member, and resolve the thread if that is wanted."""
        self.ensure_one()
        comment = self.comment_id
        comment.version_id.comment(self.body, parent_id=comment.id)
        if self.resolve:
            comment.resolve()
        return {"type": "ir.actions.act_window_close"}
