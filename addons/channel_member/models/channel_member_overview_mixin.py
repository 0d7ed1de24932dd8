from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ChannelMemberOverviewMixin(models.AbstractModel):
    """What the lists and cards of members show at a glance: documents, next expiry, open findings of the gate.

    Part of ``res.partner``; nothing here is stored, and each field asks a fixed number of questions for any number of
    members.
    """

    _name = "channel.member.overview.mixin"
    _description = "Overview of a Member"

    channel_compliance_status = fields.Selection(
        [
            ("ok", "In order"),
            ("expiring", "Expiring soon"),
            ("incomplete", "To be provided"),
            ("missing", "Missing or expired"),
        ],
        string="Documents",
        compute="_compute_channel_compliance_status",
        search="_search_channel_compliance_status",
        help="As of today, over the mandatory qualifications of the member's role and country. Applicants have "
        "documents to provide, members have them missing. Empty when nothing is asked of it: no document is mandatory "
        "for it, it is terminated, or it is a hospital that never applied.",
    )
    channel_next_expiry = fields.Date(
        string="Next Expiry",
        compute="_compute_channel_next_expiry",
        search="_search_channel_next_expiry",
        help="Day on which the first of the verified qualifications that have not been renewed ends, or has ended.",
    )
    channel_finding_count = fields.Integer(
        string="Open Findings",
        compute="_compute_channel_finding_count",
        compute_sudo=False,
        help="What the gate holds against documents of this member and nobody has resolved or overridden.",
    )

    #=== COMPUTE METHODS ===#

    @api.depends("channel_role", "channel_state", "country_id", "channel_qualification_ids.state")
    def _compute_channel_compliance_status(self):
        standing = self._channel_compliance()
        for partner in self:
            partner.channel_compliance_status = standing.get(partner._origin.id, False)

    def _search_channel_compliance_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        # pylint: disable-next=no-search-all  # of members, whose number is that of the channel
        members = self.with_context(active_test=False).search([("channel_role", "!=", False)])
        standing = members._channel_compliance()
        found = Domain("id", "in", [member_id for member_id, status in standing.items() if status in value])
        return found | Domain("id", "not in", list(standing)) if False in value else found

    @api.depends("channel_qualification_ids.state", "channel_qualification_ids.expiry_date")
    def _compute_channel_next_expiry(self):
        expiries = self._channel_expiries([("partner_id", "in", self._origin.ids)])
        for partner in self:
            partner.channel_next_expiry = expiries.get(partner._origin.id, False)

    def _search_channel_next_expiry(self, operator, value):
        """``<`` and ``<=`` a date, which is what "expires within so many days" asks."""
        if operator not in ("<", "<=") or not value:
            return NotImplemented
        return Domain("id", "in", list(self._channel_expiries([("expiry_date", operator, value)])))

    def _compute_channel_finding_count(self):
        Finding = self.env["channel.gate.finding"]
        counts = {}
        if Finding.has_access("read"):
            counts = {
                member.id: count
                for member, count in Finding._read_group(
                    [("member_id", "in", self._origin.ids), ("state", "in", ("open", "refused"))],
                    ["member_id"],
                    ["__count"],
                )
            }
        for partner in self:
            partner.channel_finding_count = counts.get(partner._origin.id, 0)

    #=== ACTION METHODS ===#

    def action_channel_findings(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_base.channel_gate_finding_action"),
            "domain": [("member_id", "=", self.id)],
            "context": {"search_default_current": 1},
        }

    #=== BUSINESS METHODS ===#

    def _channel_compliance(self):
        """Standing of members' documents as of today, in two queries.

        :return: ``{partner id: status}``; partners of whom nothing is asked are left out
        """
        # Who is terminated is asked for nothing any more. Hospitals are entered as end customers of other members'
        # orders: as long as one has neither applied nor handed in anything, nothing is asked of it either.
        asked = self.filtered(lambda partner: partner.channel_role and partner.channel_state != "terminated")
        asked = asked._origin._channel_asked_for_documents()
        # sudo: the colour of a member says no more than that a document of it is missing or expires soon.
        standing = self.env["channel.qualification"].sudo()._standing(asked, fields.Date.context_today(self))
        result = {}
        for partner in asked:
            status = standing.get(partner.id, "ok")
            if status == "missing" and partner.channel_state == "applicant":
                status = "incomplete"
            result[partner.id] = status
        return result

    def _channel_asked_for_documents(self):
        """Those of whom any document is mandatory, in one query."""
        if not self.ids:
            return self
        Qualification = self.env["channel.qualification"]
        Qualification._flush_asked()
        self.flush_model(["channel_state"])
        rows = self.env.execute_query(SQL(
            """
            SELECT member.id
              FROM res_partner member
             WHERE member.id IN %(members)s
               AND EXISTS (SELECT FROM channel_qualification_type type WHERE type.mandatory AND %(applies)s)
               AND (
                    member.channel_role != 'hospital'
                    OR member.channel_state != 'applicant'
                    OR EXISTS (SELECT FROM channel_qualification q WHERE q.partner_id = member.id)
               )
            """,
            members=tuple(self.ids),
            applies=self.env["channel.qualification.type"]._applies_sql(SQL("type"), SQL("member"), None),
        ))
        asked = {row[0] for row in rows}
        return self.filtered(lambda partner: partner.id in asked)

    @api.model
    def _channel_expiries(self, domain):
        """``{partner id: first expiry}`` over verified qualifications in a domain that have not been renewed."""
        # sudo: like the colour of the member, it says no more than when a document of it expires.
        qualifications = self.env["channel.qualification"].sudo().search_fetch(
            Domain("state", "=", "verified") & Domain("expiry_date", "!=", False) & Domain(domain),
            ["partner_id", "expiry_date"],
            order="expiry_date DESC",
        )
        renewed = qualifications._renewed_ids()
        return {
            qualification.partner_id.id: qualification.expiry_date
            for qualification in qualifications
            if qualification.id not in renewed
        }
