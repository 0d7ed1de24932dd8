from decimal import Decimal
from typing import Any, NamedTuple

from odoo import api, models
from odoo.tools import SQL


class TierAsk(NamedTuple):
    """Whom and when a measure is asked about. ``members``: ids; ``companies``: the company and its branches; both days
    belong to the period."""

    members: list
    companies: list
    date_from: Any
    date_to: Any


class ChannelTierMeasure(models.AbstractModel):
    """Registry of what members are scored by.

    A measure is a method ``_measure_<key>(self, ask)`` of this model. It gets a :class:`TierAsk` and returns an ``SQL``
    query ``(member_id, value)``: one query for all members at once. A member that the query leaves out has no history:
    what that is worth is said by the criterion, not by the measure. An add-on registers one by writing the method and
    naming it in :meth:`_measures`; pending changes of what it reads are flushed by :meth:`_measure_flush`.
    """

    _name = "channel.tier.measure"
    _description = "Measure of a Tier Policy"

    @api.model
    def _measures(self):
        """Return ``{key: (name, unit)}``; ``unit`` is ``money`` (company currency), ``days``, ``percent``, ``count`` or
        ``points`` and decides how a value is written out."""
        return {
            "turnover": (self.env._("Net invoiced turnover"), "money"),
            "payment_days": (self.env._("Average days paid after the due date"), "days"),
            "qualified_days": (self.env._("Days without a gap in mandatory documents"), "percent"),
            "gate_refusals": (self.env._("Refusals at the gate"), "count"),
            "gate_overrides": (self.env._("Overrides at the gate"), "count"),
            "territory_breaches": (self.env._("Orders outside the own territory"), "count"),
            "service": (self.env._("Service score"), "points"),
        }

    @api.model
    def _selection(self):
        return [
            (key, label)
            for key, (label, _unit) in self._measures().items()
            if hasattr(self, f"_measure_{key}")
        ]

    @api.model
    def _values(self, key, ask):
        """Return ``{member_id: Decimal}`` of one measure, in one query.

        :param str key: of :meth:`_measures`
        :param TierAsk ask: whom and when
        """
        if not ask.members:
            return {}
        self._measure_flush()
        rows = self.env.execute_query(getattr(self, f"_measure_{key}")(ask))
        # The driver turns numeric into float; its shortest text is the number that the database has.
        return {member_id: Decimal(str(value)) for member_id, value in rows if value is not None}

    @api.model
    def _measure_flush(self):
        for model in (
            "account.move", "account.move.line", "account.partial.reconcile", "channel.gate.finding",
            "channel.qualification", "channel.qualification.suspension", "channel.qualification.type",
            "channel.tier.score",
        ):
            self.env[model].flush_model()
        self.env["res.partner"].flush_model(
            ["channel_role", "country_id", "channel_active_since", "commercial_partner_id"]
        )

    # === MEASURES === #

    def _measure_turnover(self, ask):
        """Posted customer invoices less credit notes, without tax, by invoice date, in the company's currency.

        Foreign currencies count with the rate of their invoice, as they are booked. Negative when more was credited
        than invoiced.
        """
        return SQL(
            """
            SELECT move.commercial_partner_id, sum(move.amount_untaxed_signed)
              FROM account_move move
             WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
               AND move.commercial_partner_id = ANY(%(members)s) AND move.company_id = ANY(%(companies)s)
               AND move.invoice_date BETWEEN %(date_from)s AND %(date_to)s
          GROUP BY move.commercial_partner_id
            """,
            **ask._asdict(),
        )

    def _measure_payment_days(self, ask):
        """Days between the due date and the payment, weighted by amount, over what fell due in the period.

        Early payments count as negative days. What is still open at the end of the period counts with the days until
        then; what credit notes took away does not count.
        """
        return SQL(
            """
            WITH due AS (
                SELECT line.id, move.commercial_partner_id AS member_id, line.date_maturity, line.balance
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN account_account account ON account.id = line.account_id
                 WHERE account.account_type = 'asset_receivable' AND line.balance > 0
                   AND move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_receipt')
                   AND move.commercial_partner_id = ANY(%(members)s) AND move.company_id = ANY(%(companies)s)
                   AND line.date_maturity BETWEEN %(date_from)s AND %(date_to)s
            ),
            settled AS (
                SELECT due.id, due.member_id, partial.amount, credit.date - due.date_maturity AS days,
                       credit_move.move_type = 'out_refund' AS credited
                  FROM due
                  JOIN account_partial_reconcile partial ON partial.debit_move_id = due.id
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_move credit_move ON credit_move.id = credit.move_id
                 WHERE credit.date <= %(date_to)s
            ),
            share AS (
                SELECT member_id, amount, days FROM settled WHERE NOT credited
                UNION ALL
                SELECT due.member_id, due.balance - COALESCE(paid.amount, 0), %(date_to)s::date - due.date_maturity
                  FROM due
             LEFT JOIN (SELECT id, sum(amount) AS amount FROM settled GROUP BY id) paid ON paid.id = due.id
            )
            SELECT member_id, round(sum(amount * days) / sum(amount), 2)
              FROM share
             WHERE amount > 0.005
          GROUP BY member_id
            """,
            **ask._asdict(),
        )

    def _measure_qualified_days(self, ask):
        """Share of days, in percent, on which every mandatory document of the member's role and country was in force.

        Days before the member joined do not count; a member to whom no document applies has no gap. Documents that
        depend on the class of the device count as soon as the member has entered one.
        """
        qualifications = self.env["channel.qualification"]
        types = self.env["channel.qualification.type"]
        return SQL(
            """
            WITH member AS (
                SELECT partner.*, GREATEST(%(date_from)s::date, partner.channel_active_since) AS begins
                  FROM res_partner partner
                 WHERE partner.id = ANY(%(members)s)
                   AND COALESCE(partner.channel_active_since, %(date_to)s) <= %(date_to)s
            ),
            needed AS (
                SELECT member.id AS member_id, member.begins, type.id AS type_id
                  FROM member
                  JOIN channel_qualification_type type ON type.mandatory AND type.active AND %(applies)s
                 WHERE NOT (type.device_class_i OR type.device_class_ii OR type.device_class_iii)
                    OR EXISTS (
                        SELECT FROM channel_qualification q WHERE q.partner_id = member.id AND q.type_id = type.id
                    )
            ),
            day AS (
                -- the days on which something may change: between two of them everything stays as it is
                SELECT needed.member_id, needed.begins AS date FROM needed
                UNION
                SELECT needed.member_id, change.date
                  FROM needed
                  JOIN channel_qualification q ON q.partner_id = needed.member_id AND q.type_id = needed.type_id
            CROSS JOIN LATERAL (%(changes)s) AS change(date)
                 WHERE change.date > needed.begins AND change.date <= %(date_to)s
            ),
            stretch AS (
                SELECT member_id, date,
                       LEAD(date, 1, %(date_to)s::date + 1) OVER (PARTITION BY member_id ORDER BY date) - date AS days
                  FROM day
            ),
            gap AS (
                SELECT stretch.member_id, stretch.days
                  FROM stretch
                 WHERE EXISTS (
                        SELECT FROM needed
                         WHERE needed.member_id = stretch.member_id
                           AND NOT EXISTS (
                                SELECT FROM channel_qualification q
                                 WHERE q.partner_id = needed.member_id AND q.type_id = needed.type_id AND %(in_force)s
                           )
                 )
            ),
            total AS (SELECT member_id, sum(days) AS days FROM gap GROUP BY member_id)
            SELECT member.id,
                   round(100.0 * (1 - COALESCE(total.days, 0)::numeric / (%(date_to)s::date + 1 - member.begins)), 2)
              FROM member
         LEFT JOIN total ON total.member_id = member.id
            """,
            applies=types._applies_sql(SQL("type"), SQL("member"), None),
            changes=self._qualification_changes_sql(SQL("q")),
            in_force=qualifications._in_force_sql(SQL("q"), SQL("stretch.date")),
            **ask._asdict(),
        )

    @api.model
    def _qualification_changes_sql(self, qualification):
        """SQL rows of the days on which a qualification may begin or cease to be in force."""
        return SQL(
            """
            VALUES (%(q)s.issue_date), (%(q)s.expiry_date + 1), (%(q)s.revoked_on), (%(q)s.replaced_on)
             UNION ALL
            SELECT unnest(ARRAY[pause.date_from, pause.lifted_on])
              FROM channel_qualification_suspension pause WHERE pause.qualification_id = %(q)s.id
            """,
            q=qualification,
        )

    def _measure_gate_refusals(self, ask):
        """Findings for which an order, delivery or invoice was refused, by the date of the document."""
        return self._findings(ask, SQL("finding.attempt_count > 0"))

    def _measure_gate_overrides(self, ask):
        """Findings that somebody had to override, by the date of the document."""
        return self._findings(ask, SQL("finding.override_user_id IS NOT NULL"))

    def _measure_territory_breaches(self, ask):
        """Findings of goods ordered for a place outside the member's authorization, by the date of the document."""
        return self._findings(
            ask, SQL("finding.code = 'member_authorization' AND finding.basis ->> 'reason' = 'territory'")
        )

    def _findings(self, ask, condition):
        # Whoever has no finding has a clean record, not an unknown one.
        return SQL(
            """
            SELECT member.id, count(finding.id)::numeric
              FROM unnest(%(members)s::int[]) AS member(id)
         LEFT JOIN channel_gate_finding finding
                ON finding.member_id = member.id AND finding.company_id = ANY(%(companies)s)
               AND finding.document_date BETWEEN %(date_from)s AND %(date_to)s AND %(condition)s
          GROUP BY member.id
            """,
            condition=condition,
            **ask._asdict(),
        )

    def _measure_service(self, ask):
        """Average of the scores that people gave in the period (``channel.tier.score``)."""
        return SQL(
            """
            SELECT score.partner_id, round(avg(score.score)::numeric, 2)
              FROM channel_tier_score score
             WHERE score.partner_id = ANY(%(members)s) AND score.company_id = ANY(%(companies)s)
               AND score.date BETWEEN %(date_from)s AND %(date_to)s
          GROUP BY score.partner_id
            """,
            **ask._asdict(),
        )
