from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER


class ChannelContractVersionKnowledgeMixin(models.AbstractModel):
    """What was known of a version on an earlier day. Inherited by ``channel.contract.version``.

    The terms of a version never change; when it begins to count, is replaced, or ends earlier than was agreed, the
    timeline says since which moment that is known.
    """

    _name = "channel.contract.version.knowledge.mixin"
    _description = "What Was Known of a Contract Version"

    agreed_valid_to = fields.Date(
        string="Agreed until", readonly=True, copy=False, help="The end as approved, before anything ended it earlier."
    )

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | {"agreed_valid_to"}

    @api.model
    def _approval_protected_fields(self):
        return [*super()._approval_protected_fields(), "agreed_valid_to"]

    def _remember_end(self, vals):
        """Keep what is known of the end of these versions, which have just been written with ``vals``."""
        if vals.get("state") == "approved":
            for end, versions in self.grouped("valid_to").items():
                _APPROVER.open(versions).write({"agreed_valid_to": end})
        elif vals.get("valid_to"):
            ended = self.filtered(lambda version: version.state in ("approved", "superseded"))
            ended._log_event("ended", date=vals["valid_to"])

    @api.model
    def _known_event_sql(self, version, kind, moment):
        """:return: SQL condition: this had happened to the version before the moment"""
        return SQL(
            """EXISTS (SELECT FROM channel_contract_event known
                        WHERE known.version_id = %s.id AND known.kind = %s AND known.moment < %s)""",
            version,
            kind,
            moment,
        )

    @api.model
    def _known_end_sql(self, version, moment):
        """:return: SQL of the last day of a version, as known before a moment"""
        return SQL(
            """CASE WHEN %(ended)s THEN (SELECT known.date FROM channel_contract_event known
                                          WHERE known.version_id = %(v)s.id AND known.kind = 'ended'
                                            AND known.moment < %(moment)s
                                          ORDER BY known.id DESC LIMIT 1)
                    ELSE %(v)s.agreed_valid_to END""",
            ended=self._known_event_sql(version, "ended", moment),
            v=version,
            moment=moment,
        )

    @api.model
    def _known_in_force_sql(self, version, date, moment):
        """Whether a version was in force on a day, as known before a moment.

        :param SQL version: alias of ``channel_contract_version``
        :param SQL date: the day
        :param SQL moment: UTC timestamp
        :return: SQL condition
        """
        return SQL(
            """(%(v)s.state IN ('approved', 'superseded') AND %(v)s.approved_at < %(moment)s
                AND (%(v)s.signature_state = 'none' OR %(signed)s)
                AND NOT %(superseded)s
                AND %(v)s.valid_from <= %(date)s AND COALESCE(%(end)s, 'infinity') >= %(date)s
                AND NOT EXISTS (
                    SELECT FROM channel_contract_suspension suspension
                     WHERE suspension.contract_id = %(v)s.contract_id AND suspension.date_from <= %(date)s
                       AND EXISTS (SELECT FROM channel_contract_event known
                                    WHERE known.contract_id = suspension.contract_id AND known.kind = 'suspended'
                                      AND known.date = suspension.date_from AND known.moment < %(moment)s)
                       AND NOT (suspension.lifted_on <= %(date)s
                                AND EXISTS (SELECT FROM channel_contract_event known
                                             WHERE known.contract_id = suspension.contract_id
                                               AND known.kind = 'resumed' AND known.date = suspension.lifted_on
                                               AND known.moment < %(moment)s))))""",
            v=version,
            moment=moment,
            date=date,
            signed=self._known_event_sql(version, "signed", moment),
            superseded=self._known_event_sql(version, "superseded", moment),
            end=self._known_end_sql(version, moment),
        )
