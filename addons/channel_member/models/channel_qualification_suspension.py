from odoo import fields, models


class ChannelQualificationSuspension(models.Model):
    """A time during which a document was not in force because it had been suspended.

    The rows of a document never overlap. They stay when the suspension has been lifted, so that the question
    whether a document was in force on a day has the same answer for ever. Written by the decisions of
    ``channel.qualification`` only.
    """

    _name = "channel.qualification.suspension"
    _description = "Suspension of a Qualification"
    _order = "date_from desc, id desc"
    _rec_name = "qualification_id"

    qualification_id = fields.Many2one("channel.qualification", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="qualification_id.company_id", store=True, index="btree_not_null")
    date_from = fields.Date(required=True, help="First day not in force.")
    lifted_on = fields.Date(help="First day in force again; empty while it is suspended.")
    reason = fields.Char(required=True)
    lift_reason = fields.Char(string="Reason of Lifting")
    suspended_by_id = fields.Many2one("res.users", required=True, ondelete="restrict")
    lifted_by_id = fields.Many2one("res.users", ondelete="restrict")

    _dates_order = models.Constraint(
        "CHECK(lifted_on IS NULL OR lifted_on >= date_from)", "A suspension cannot be lifted before it begins."
    )
    _no_overlap = models.Constraint(
        # A range of one number, because a plain integer in such a constraint needs an extension of PostgreSQL.
        "EXCLUDE USING gist (int4range(qualification_id, qualification_id, '[]') WITH &&, "
        "daterange(date_from, lifted_on) WITH &&)",
        "The document is suspended during these days already.",
    )
