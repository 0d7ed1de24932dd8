from odoo import models
from odoo.tools import SQL


class ChannelRebateEnginePayeeMixin(models.AbstractModel):
    """Whose lines add up, and who earns a line: SQL over a source line `s`, its day `w.date` and its version `t`."""

    _name = "channel.rebate.engine.payee.mixin"
    _description = "Rebate Engine: Payees"

    def _payee_columns(self, version):
        """-> names of the source columns that these terms read"""
        return {"salesperson": {"seller_id"}, "team": {"team_id"}}.get(version.payee_kind, set())

    def _sql_payee(self, run, version):
        """-> joins, and the expressions of pool, payee, weight of the line, share and shares before it

        Pool and payee are NULL where nobody earns. Weight multiplies what is measured; a share divides what the pool
        earns together, in the order of payees, so that the parts are exact.
        """
        share, before = SQL("NULL::numeric"), SQL("NULL::numeric")
        match version.payee_kind:
            case "salesperson":
                return SQL(""), SQL("s.seller_id"), SQL("s.seller_id"), SQL("1"), share, before
            case "team":
                join = SQL(
                    """LEFT JOIN channel_rebate_share shared
                         ON shared.version_id = t.version_id
                        AND (shared.team_id IS NULL OR shared.team_id = s.team_id)"""
                )
                payee = SQL("shared.partner_id")
                return join, payee, payee, SQL("shared.share / 100"), share, before
            case "member":
                join, pool = SQL(""), SQL("s.buyer_id")
            case kind:
                join = SQL(
                    """LEFT JOIN %s place
                         ON place.buyer_id = s.buyer_id AND place.kind = %s
                        AND w.date >= place.valid_from AND w.date <= place.valid_to""",
                    run["place"],
                    kind,
                )
                pool = SQL("COALESCE(place.pool_id, s.buyer_id)") if kind == "parent" else SQL("place.pool_id")
        if version.distribution == "contribution":
            return join, pool, SQL("CASE WHEN %s IS NOT NULL THEN s.buyer_id END", pool), SQL("1"), share, before
        if version.distribution == "share":
            join = SQL(
                """%s LEFT JOIN (
                    SELECT version_id, partner_id, share / 100 AS share,
                           (sum(share) OVER (PARTITION BY version_id ORDER BY id) - share) / 100 AS share_before
                      FROM channel_rebate_share) shared ON shared.version_id = t.version_id""",
                join,
            )
            part = SQL("shared.share")
            return join, pool, SQL("shared.partner_id"), part, part, SQL("shared.share_before")
        return join, pool, pool, SQL("1"), share, before

    def _sql_places(self, kinds):
        """-> relation `(kind, buyer_id, pool_id, valid_from, valid_to)`: who stood above whom, from day to day

        Parent: the member above. Group and agent: the nearest member above (or the member itself) of that role.
        """
        self.env["channel.member.period"].flush_model()
        return SQL(
            """WITH RECURSIVE climb AS (
                SELECT partner_id AS buyer_id, partner_id AS at_id, role, parent_id, valid_from,
                       COALESCE(valid_to, '9999-12-31') AS valid_to, 0 AS depth
                  FROM channel_member_period WHERE active AND role IS NOT NULL
                UNION ALL
                SELECT c.buyer_id, above.partner_id, above.role, above.parent_id,
                       GREATEST(c.valid_from, above.valid_from),
                       LEAST(c.valid_to, COALESCE(above.valid_to, '9999-12-31')), c.depth + 1
                  FROM climb c
                  JOIN channel_member_period above
                    ON above.partner_id = c.parent_id AND above.active
                   AND above.valid_from <= c.valid_to AND COALESCE(above.valid_to, '9999-12-31') >= c.valid_from
                 WHERE c.depth < 20
            ),
            held AS (
                SELECT kind.code AS kind, c.*, daterange(c.valid_from, c.valid_to, '[]') AS days
                  FROM (VALUES ('group', 'buying_group'), ('agent', 'agent')) kind(code, role)
                  JOIN climb c ON c.role = kind.role
                 WHERE kind.code = ANY(%(kinds)s)
            )
            SELECT 'parent' AS kind, buyer_id, parent_id AS pool_id, valid_from, valid_to
              FROM climb WHERE depth = 0 AND parent_id IS NOT NULL AND 'parent' = ANY(%(kinds)s)
            UNION ALL
            SELECT kind, buyer_id, at_id, lower(days), upper(days) - 1
              FROM (
                SELECT far.kind, far.buyer_id, far.at_id, unnest(datemultirange(far.days) - COALESCE(
                           (SELECT range_agg(near.days) FROM held near
                             WHERE near.kind = far.kind AND near.buyer_id = far.buyer_id AND near.depth < far.depth),
                           '{}')) AS days
                  FROM held far
              ) nearest""",
            kinds=list(kinds),
        )
