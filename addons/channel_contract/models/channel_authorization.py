from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class ChannelAuthorization(models.Model):
    _inherit = "channel.authorization"

    contract_version_id = fields.Many2one(
        "channel.contract.version",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        domain="[('member_id', '=', partner_id), ('company_id', '=', company_id)]",
        help="The authorization rests on this version: it holds only while the version is approved, and within "
        "the version's dates.",
    )

    @api.constrains("contract_version_id", "partner_id", "company_id")
    def _check_contract_version_id(self):
        for authorization in self:
            # sudo: party and company only
            version = authorization.contract_version_id.sudo()
            if version and (
                version.member_id != authorization.partner_id or version.company_id != authorization.company_id
            ):
                raise ValidationError(
                    self.env._(
                        "Authorization %(number)s and contract version %(version)s are of different members or "
                        "companies.",
                        number=authorization.number,
                        version=version.display_name,
                    )
                )

    # === COMPUTE METHODS ===#

    @api.depends(
        "contract_version_id.state",
        "contract_version_id.signature_state",
        "contract_version_id.valid_from",
        "contract_version_id.valid_to",
        "contract_version_id.contract_id.suspension_ids.lifted_on",
    )
    def _compute_status(self):
        return super()._compute_status()

    def _status_on(self, date):
        status = super()._status_on(date)
        # sudo: state and period only, of what the authorization rests on
        version = self.contract_version_id.sudo()
        if not version or status not in ("valid", "expiring"):
            return status
        if version.state == "draft" or version.state == "approved" and (
            version.valid_from > date or not version._stands()
        ):
            return "future"
        if version.state != "approved" or not version._covers(date):
            return "expired"
        # Not for now: it holds again when the suspension is lifted
        return "future" if version.contract_id._suspension_on(date) else status

    @api.model
    def _status_domain(self, statuses, today):
        def own(*names):
            return super(ChannelAuthorization, self)._status_domain(names, today)

        approved = Domain("state", "=", "approved")
        stands = self.env["channel.contract.version"]._version_standing_domain()
        covers = Domain("valid_from", "<=", today) & (Domain("valid_to", "=", False) | Domain("valid_to", ">=", today))
        suspended = Domain(
            "contract_id",
            "any!",
            Domain(
                "suspension_ids",
                "any!",
                Domain("date_from", "<=", today)
                & (Domain("lifted_on", "=", False) | Domain("lifted_on", ">", today)),
            ),
        )
        later = Domain(
            "contract_version_id",
            "any!",
            Domain("state", "=", "draft")
            | approved & (Domain("valid_from", ">", today) | ~stands)
            | stands & covers & suspended,
        )
        rests = Domain("contract_version_id", "=", False) | Domain(
            "contract_version_id", "any!", stands & covers & ~suspended
        )
        domains = {
            "valid": own("valid") & rests,
            "expiring": own("expiring") & rests,
            "future": own("future") | own("valid", "expiring") & later,
            "expired": own("expired") | own("valid", "expiring") & ~rests & ~later,
        }
        return Domain.OR(domains[status] if status in domains else own(status) for status in statuses)

    # === APPROVAL ===#

    def _approval_terms(self):
        return [*super()._approval_terms(), "contract_version_id"]

    @api.model
    def _in_force_sql(self, authorization, date):
        """And only on days on which the contract version that it rests on is in force."""
        return SQL(
            """(%(base)s AND (%(a)s.contract_version_id IS NULL OR EXISTS (
                SELECT FROM channel_contract_version version
                 WHERE version.id = %(a)s.contract_version_id AND %(in_force)s
            )))""",
            base=super()._in_force_sql(authorization, date),
            a=authorization,
            in_force=self.env["channel.contract.version"]._in_force_sql(SQL.identifier("version"), date),
        )

    @api.model
    def _period_sql(self, authorization, pending=False):
        """Within the period of the contract version: in force, or (``pending``) still to be approved or signed."""
        return SQL(
            """(CASE WHEN %(a)s.contract_version_id IS NULL THEN %(base)s ELSE COALESCE((
                SELECT %(base)s * daterange(version.valid_from, COALESCE(version.valid_to + 1, 'infinity'), '[)')
                  FROM channel_contract_version version
                 WHERE version.id = %(a)s.contract_version_id
                   AND (%(stands)s OR version.state IN ('draft', 'approved') AND %(pending)s)
            ), 'empty'::daterange) END)""",
            base=super()._period_sql(authorization, pending=pending),
            a=authorization,
            stands=self.env["channel.contract.version"]._standing_sql(SQL.identifier("version")),
            pending=pending,
        )

    @api.model
    def _flush_matched(self):
        super()._flush_matched()
        self.env["channel.contract.version"]._flush_in_force()
