from odoo import fields, models


class ChannelContractSuspension(models.Model):
    """A time during which a contract was not in force because it had been suspended.

    The rows of a contract never overlap. They stay when the suspension has been lifted, so that the question what was
    in force on a day has the same answer for ever. Written by the decisions of ``channel.contract`` only.
    """

    _name = "channel.contract.suspension"
    _description = "Suspension of a Contract"
    _order = "date_from desc, id desc"
    _rec_name = "contract_id"

    contract_id = fields.Many2one("channel.contract", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="contract_id.company_id")
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
        "EXCLUDE USING gist (int4range(contract_id, contract_id, '[]') WITH &&, "
        "daterange(date_from, lifted_on) WITH &&)",
        "The contract is suspended during these days already.",
    )
