from odoo import models
from odoo.tools import SQL

from ..tools.relations import CommonTables
from ..tools.terms import Run


class ChannelRebateEngineExplainMixin(models.AbstractModel):
    """The same relations, read for one window: which tiers, which limits, what a line did."""

    _name = "channel.rebate.engine.explain.mixin"
    _description = "Rebate Engine: Explaining"

    def _explained_window(self, balance):
        """-> Run with the relations of stage 2 for the windows of a balance's pool, and the condition of its own
        window
        """
        program = balance.program_id
        pool = balance.pool_id or balance.member_id
        versions = program.version_ids.filtered(lambda v: v._is_in_force())
        run = Run(self._terms(versions), program.accrued_to or balance.window_end, CommonTables())
        run.add("term", self._sql_terms(run.terms))
        lines = run.add(
            "line",
            SQL(
                "SELECT * FROM channel_rebate_entry WHERE program_id = %s AND pool_id = %s", program.id, pool.id
            ),
        )
        self._add_windows(run, lines)
        mine = SQL("x.pool_id = %s AND x.window_start = %s", pool.id, balance.window_start)
        return run, mine

    def _explain_bands(self, balance, unit_id=None):
        """-> list of dicts, one for each version and tier of the window, in order

        Keys: version_id, kind, boundary, earned (what the version pays on), measure (what tiers are compared with),
        total, reference, tier_id, lower, upper (None when open), rate, reached (bool), amount (inside the tier), rebate
        (exact).
        """
        run, mine = self._explained_window(balance)
        if unit_id is not None:
            mine = SQL("%s AND x.unit_id = %s", mine, unit_id)
        return self.env.execute_query_dict(
            run.tables.query(
                SQL(
                    """SELECT x.version_id, t.kind, t.boundary, t.tier_measure, m.earned, m.measure, m.total,
                        m.reference,
                              x.tier_id, x.lower, x.upper, x.rate, bool_or(x.is_reached) AS reached,
                              sum(x.amount) AS amount, sum(LEAST(x.rebate, x.cap)) AS rebate
                         FROM %(banded)s x
                         JOIN %(term)s t ON t.version_id = x.version_id
                         JOIN (
                            SELECT x.version_id, sum(x.earning) AS earned, max(x.tier_value) AS measure,
                                   max(x.total) AS total, max(x.reference) AS reference
                              FROM %(based)s x WHERE %(mine)s GROUP BY x.version_id) m ON m.version_id = x.version_id
                        WHERE %(mine)s
                        GROUP BY x.version_id, t.kind, t.boundary, t.tier_measure, t.term_start, m.earned, m.measure,
                                 m.total, m.reference, x.tier_id, x.lower, x.upper, x.rate
                        ORDER BY t.term_start, x.version_id, x.lower""",
                    banded=run["banded"],
                    based=run["based"],
                    term=run["term"],
                    mine=mine,
                )
            )
        )

    def _explain_limits(self, balance):
        """-> dict of what limits made of the window: gross, opens, due, top_up, beside, ceiling"""
        run, mine = self._explained_window(balance)
        rows = self.env.execute_query_dict(
            run.tables.query(
                SQL(
                    """SELECT sum(x.gross) AS gross, bool_and(x.opens) AS opens, bool_and(x.pays) AS pays,
                              sum(x.due) AS due, sum(x.top_up) AS top_up, sum(x.beside) AS beside,
                              max(x.ceiling) AS ceiling, max(x.guarantee) AS guarantee
                         FROM %s x WHERE %s""",
                    run["limited"],
                    mine,
                )
            )
        )
        return rows[0]

    def _explain_entry(self, entry):
        """-> the line as a dict, with the running total of its window before and after it (by day, then source id)"""
        (line,) = entry._to_json()
        amount = entry.earning_amount / entry.share if entry.share else entry.earning_amount
        return {
            "entry_id": line["entry_id"],
            "document": line["document"],
            "product": line["product"],
            "date": line["date"],
            "amount": line["earning"],
            "excluded": line["excluded"],
            "total_before": round(entry.total_after - amount, 6),
            "total_after": round(entry.total_after, 6),
            "rate": line["rate"],
            "rebate": line["rebate"],
            "collection_factor": entry.collection_factor if entry.version_id.collection_ids else None,
            "forgone": entry.forgone_amount or None,
        }
