from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_overlap_severity = fields.Selection(
        [("off", "Not shown"), ("warn", "Warns"), ("block", "Blocks the approval")],
        string="Overlapping Authorizations",
        default="warn",
        required=True,
        help="What it means when two members, neither exclusive nor one above the other, are authorised for the same "
        "products, territory and time.",
    )
    channel_agent_limits = fields.Boolean(
        string="Agents Limit Members Below",
        default=True,
        help="A member below an agent sells no more than the agent is authorised for.",
    )
    channel_platform_limits = fields.Boolean(
        string="Platforms Limit Members Below",
        default=True,
        help="A member below a platform sells no more than the platform is authorised for.",
    )
    channel_gap_level = fields.Selection(
        selection=lambda self: self.env["channel.region"]._fields["level"]._description_selection(self.env),
        string="Level of Authorization Gaps",
        default="province",
        required=True,
        help="Regions of this level are the rows of the report of authorization gaps.",
    )
    channel_salesperson_authority = fields.Boolean(
        string="Salespeople Need an Authority",
        help="Orders for goods that need authorization are taken by salespeople with a written authority only.",
    )
    channel_authorization_revision = fields.Integer(
        readonly=True,
        copy=False,
        help="Counts approvals of authorizations. Each approval writes it, so that of two approvals at the same time "
        "the second is asked again after it can see the first.",
    )
    channel_admission_medium_score = fields.Integer(
        string="Medium Risk From",
        default=20,
        required=True,
        help="Score of an admission's open findings from which its risk is medium.",
    )
    channel_admission_high_score = fields.Integer(
        string="High Risk From",
        default=50,
        required=True,
        help="Score of an admission's open findings from which its risk is high.",
    )
    channel_admission_authorization = fields.Selection(
        [("none", "None"), ("draft", "Drafted"), ("approved", "Approved with the admission")],
        string="Authorization of New Members",
        default="approved",
        required=True,
        help="What the approval of an application does with the products and the territory that it asks for.",
    )

    _channel_admission_scores = models.Constraint(
        "CHECK(channel_admission_medium_score > 0 AND channel_admission_high_score >= channel_admission_medium_score)",
        "The score of high risk cannot lie below that of medium risk, and both are positive.",
    )
