
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from .channel_contract_stage_mixin import _STAGE

ALERT = "contract_renewal"


class ChannelContractRenewalMixin(models.AbstractModel):
    """What becomes of a contract at its end. Inherited by ``channel.contract``.

    * *Automatic*: once the last day for a notice has passed without one, the next version follows for as long again.
      It was agreed by the version that it follows, so nobody approves or signs it anew.
    * *By agreement*: when the end comes near, a draft of the next version is opened for the contract's owner.
    * A *successor* is another contract in the place of this one, which then ends as renewed.

    All of it is idempotent: a version that is followed, or whose renewal was opened before, is left alone.
    """

    _name = "channel.contract.renewal.mixin"
    _description = "Renewal of a Contract"

    predecessor_id = fields.Many2one(
        "channel.contract",
        string="Successor of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The contract in whose place this one came.",
    )
    successor_ids = fields.One2many("channel.contract", "predecessor_id", string="Successors", readonly=True)

    _successor_uniq = models.UniqueIndex(
        "(predecessor_id) WHERE predecessor_id IS NOT NULL", "The contract has a successor already."
    )

    @api.model
    def _protected_fields(self):
        return super()._protected_fields() | {"predecessor_id"}

    # === ACTION METHODS ===#

    def action_renew(self):
        """Open the draft of the version that follows the last one, or the one opened before.

        :return: the action of its form
        """
        self.ensure_one()
        self.check_access("write")
        self._check_not_terminated()
        version = self._last_version().sudo(self.env.su)
        if not version.valid_to:
            raise UserError(
                self.env._("%s has no end: there is nothing to renew. Amend it instead.", self.display_name)
            )
        draft = self.env["channel.contract.version"].search(
            [("contract_id", "=", self.id), ("state", "=", "draft")], limit=1
        )
        return (draft or version._renewal_draft()).get_formview_action()

    def action_renew_as_contract(self):
        """Open the contract that follows this one: the same parties and terms, a number and a history of its own.

        :return: the action of its form
        """
        self.ensure_one()
        self.check_access("write")
        successor = self.successor_ids[:1]
        if not successor:
            version = self._last_version().sudo(self.env.su)
            if not version.valid_to:
                raise UserError(
                    self.env._("%s has no end: terminate it before another contract follows.", self.display_name)
                )
            successor = _STAGE.open(self).copy({"predecessor_id": self.id, "user_id": self.user_id.id})
            successor = successor.with_env(self.env)
            version._renewal_draft(successor)
            self.env["channel.contract.event"]._log(
                [
                    {
                        "contract_id": self.id,
                        "kind": "renewed",
                        "date": fields.Date.add(version.valid_to, days=1),
                        "note": self.env._("Followed by %s", successor.display_name),
                    }
                ]
            )
        return successor.get_formview_action()

    # === BUSINESS METHODS ===#

    @api.model
    def _renew_due(self):
        """Renew what renews itself, and open drafts where a renewal is to be agreed. Nightly; idempotent.

        What cannot be renewed is told to somebody by an alert, and tried again the next night.

        :return: the versions that were made
        """
        made = self.env["channel.contract.version"]
        failed = {}
        # A job that stood still for years finds several terms to follow one another.
        while versions := self._renewals_due("automatic").filtered(lambda version: version not in failed):
            for version in versions:
                try:
                    with self.env.cr.savepoint():
                        made += version._renew_automatically()
                except UserError as error:
                    failed[version] = str(error)
        for version in self._renewals_due("agreement"):
            made += version._renew_by_agreement()
        self._alert_failed_renewals(failed)
        return made

    @api.model
    def _alert_failed_renewals(self, failed):
        # sudo: the job tidies the alerts of its own source
        alerts = self.env["channel.alert"].sudo()
        standing = alerts.search([("source", "=", ALERT), ("state", "!=", "resolved")]).mapped("key")
        keys = {str(version.contract_id.id) for version in failed}
        alerts._clear_alerts(ALERT, [key for key in standing if key not in keys])
        alerts._raise_alerts(
            ALERT,
            [
                {
                    "key": str(version.contract_id.id),
                    "name": self.env._("%s could not renew itself", version.contract_id.display_name),
                    "severity": "critical",
                    "record": version.contract_id,
                    "user": version.contract_id.user_id,
                    "region": version.region_id,
                    "note": reason,
                }
                for version, reason in failed.items()
            ],
        )

    @api.model
    def _renewals_due(self, renewal):
        """Versions at whose end something is due today and has not been done.

        :param str renewal: ``automatic``: the last day for a notice has passed; ``agreement``: the end comes near
        :return: ``channel.contract.version``, superuser rights
        """
        # sudo: the job looks at the contracts of every company
        Version = self.env["channel.contract.version"].sudo()
        # pylint: disable-next=no-search-all  # of companies, each with its own day
        companies = self.env["res.company"].sudo().search([])
        Version._flush_in_force()
        Version.flush_model(["renewal", "notice_days", "renewal_of_id"])
        self.env["channel.contract"].flush_model(
            ["active", "terminated_on", "notice_given_on", "predecessor_id", "type_id"]
        )
        self.env["channel.contract.type"].flush_model(["expiring_days"])
        v = SQL.identifier("v")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT v.id
                  FROM channel_contract_version v
                  JOIN channel_contract c ON c.id = v.contract_id
                  JOIN channel_contract_type kind ON kind.id = c.type_id
                  JOIN unnest(%(companies)s::int[], %(days)s::date[]) AS day (company_id, today)
                    ON day.company_id = c.company_id
                 WHERE %(stands)s AND v.renewal = %(renewal)s AND v.valid_to IS NOT NULL AND %(due)s
                   AND c.active AND c.terminated_on IS NULL AND c.notice_given_on IS NULL
                   AND NOT EXISTS (SELECT FROM channel_contract_version later
                                    WHERE later.contract_id = v.contract_id
                                      AND (later.renewal_of_id = v.id OR later.valid_from > v.valid_to
                                                                     AND later.state IN ('draft', 'approved')))
                   AND NOT EXISTS (SELECT FROM channel_contract successor WHERE successor.predecessor_id = c.id)
                 ORDER BY v.id
                """,
                companies=companies.ids,
                days=[company._channel_today() for company in companies],
                stands=Version._standing_sql(v),
                renewal=renewal,
                due=SQL("day.today > v.valid_to - COALESCE(v.notice_days, 0)")
                if renewal == "automatic"
                else SQL(
                    "day.today BETWEEN v.valid_to - GREATEST(v.notice_days, kind.expiring_days, 0) AND v.valid_to"
                ),
            )
        )
        return Version.browse([version_id for (version_id,) in rows])

    def _check_not_terminated(self):
        for contract in self:
            if contract.terminated_on:
                raise UserError(
                    self.env._(
                        "%(contract)s was terminated on %(date)s: what is agreed now is a new contract.",
                        contract=contract.display_name,
                        date=format_date(self.env, contract.terminated_on),
                    )
                )
