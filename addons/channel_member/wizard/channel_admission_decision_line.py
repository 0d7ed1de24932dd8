from odoo import fields, models


class ChannelAdmissionDecisionLine(models.TransientModel):
    """What is to be mended of one document."""

    _name = "channel.admission.decision.line"
    _description = "Document to Mend"

    wizard_id = fields.Many2one("channel.admission.decision", required=True, index=True, ondelete="cascade")
    document_id = fields.Many2one("channel.admission.document", required=True, ondelete="cascade")
    reason = fields.Char(help="Empty when nothing is to be mended.")
