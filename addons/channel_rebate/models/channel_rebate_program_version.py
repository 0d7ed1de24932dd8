from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap


class ChannelRebateProgramVersion(models.Model):
    """The terms of a rebate programme over a period of time.

    A line is calculated under the version in force on its day. When the version changes inside a window, the window
    goes on: its total decides the tier, each version pays on its own lines.
    """

    _name = "channel.rebate.program.version"
    _description = "Rebate Programme Version"
    _inherit = [
        "channel.version.mixin",
        "channel.scope.mixin",
        "channel.rebate.version.payee.mixin",
        "channel.rebate.version.measure.mixin",
        "channel.rebate.version.window.mixin",
        "channel.rebate.version.tier.mixin",
        "channel.rebate.version.reference.mixin",
        "channel.rebate.version.limit.mixin",
        "channel.rebate.version.combination.mixin",
        "channel.rebate.version.example.mixin",
        "channel.rebate.version.words.mixin",
    ]
    _check_company_auto = True
    _version_identity = "program_id"
    _version_line_fields = ("tier_ids", "share_ids", "component_ids", "collection_ids")

    program_id = fields.Many2one(
        "channel.rebate.program", string="Programme", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    # Declared again, so that its table of pairs is this add-on's and goes away with it.
    segment_ids = fields.Many2many()
    # A version's scope lasts as long as the version.
    date_from = fields.Date(related="valid_from", store=True, string="Scope From")
    date_to = fields.Date(related="valid_to", store=True, string="Scope To")

    contract_version_id = fields.Many2one(
        "channel.contract.version",
        string="Agreed in",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('state', 'in', ('draft', 'approved')), ('company_id', '=', company_id)]",
        help="The contract version that promises this programme. Set, it is for the member of that contract only.",
    )

    _version_overlap = channel_version_overlap("program_id")
    _contract_period = models.Constraint(
        "CHECK (window_type <> 'contract' OR (period_from IS NOT NULL AND period_to IS NOT NULL"
        " AND period_from <= period_to))",
        "A window over the contract period needs its first and its last day, in this order.",
    )

    # === CONSTRAINT METHODS === #

    def _approval_before(self):
        result = super()._approval_before()
        for version in self:
            contract = version.contract_version_id
            if contract and contract.state != "approved":
                raise UserError(
                    self.env._(
                        "%(version)s is agreed in %(contract)s, which is not approved: approve the contract first.",
                        version=version.display_name,
                        contract=contract.display_name,
                    )
                )
            problems = list(version._problems())
            if problems:
                raise UserError("\n".join(f"{version.display_name}: {problem}" for problem in problems))
        return result

    # === ACTIONS === #

    def action_simulate(self):
        """Open what the draft would have meant for past sales."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Simulation"), "target": "new",
            "res_model": "channel.rebate.simulation", "view_mode": "form", "views": [(False, "form")],
            "context": {"default_version_id": self.id},
        }

    # === BUSINESS METHODS === #

    def _problems(self):
        """Yield a sentence for each reason for which these terms cannot be calculated: they cannot be approved."""
        self.ensure_one()
        yield from self._tier_problems()
        yield from self._reference_problems()
        yield from self._payee_problems()

    def _is_in_force(self):
        """:return: whether lines are calculated under this version: approved, also when its time is over"""
        self.ensure_one()
        return self.state == "approved"
