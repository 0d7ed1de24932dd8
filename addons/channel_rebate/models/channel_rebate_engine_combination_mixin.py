from odoo import models
from odoo.tools import SQL

#: Methods in which a programme is calculated after those before it.
ORDERED = ("compound", "reduction", "exclusive")


class ChannelRebateEngineCombinationMixin(models.AbstractModel):
    """Programmes that share lines. Those of a combination are calculated in rounds, in the order that versions
    store.
    """

    _name = "channel.rebate.engine.combination.mixin"
    _description = "Rebate Engine: Combinations"

    def _rounds(self, terms):
        """Yield the terms of each round: whatever a round needs of other programmes, earlier rounds have calculated.

        All versions of a programme are in one round, that of their last place.
        """
        places = {}
        for term in terms:
            version = term.version
            waits = version.combination_id.method in ORDERED
            place = version.combination_order if waits else None
            known = places.get(version.program_id)
            if known is None or (place is not None and place > known):
                places[version.program_id] = place
        for place in sorted(set(places.values()), key=lambda value: (value is not None, value)):
            yield [term for term in terms if places[term.version.program_id] == place]

    def _waits(self, versions):
        """:return: whether any of these versions is calculated after others of its combination"""
        return any(version.combination_id.method in ORDERED for version in versions)

    def _sql_earlier(self, run, entries):
        """-> select `(program_id, basis, source_id, granted, is_counted)` for the programmes of this round

        What earlier programmes of the same combination granted on a line, as far as that lowers what later ones pay on.

        :param entries: relation of rated lines of earlier rounds
        """
        return SQL(
            """SELECT t.program_id, e.basis, e.source_id,
                      sum(e.rebate_amount) FILTER (
                        WHERE combination.method = 'compound' OR earlier.reduction_exclude IS NOT TRUE) AS granted,
                      bool_or(e.exclusion IS NULL) AS is_counted
                 FROM %(term)s t
                 JOIN channel_rebate_combination combination ON combination.id = t.combination_id
                 JOIN channel_rebate_program_version earlier
                   ON earlier.combination_id = t.combination_id AND earlier.combination_order < t.combination_order
                  AND earlier.program_id <> t.program_id
                 JOIN %(entries)s e ON e.version_id = earlier.id
                GROUP BY t.program_id, e.basis, e.source_id""",
            term=run["term"],
            entries=entries,
        )

    def _sql_combined(self, run, version, earning, earlier):
        """-> join, the condition "an earlier programme covers line `s`", and what is left of it to pay on"""
        method = version.combination_id.method
        if earlier is None or method not in ORDERED:
            return SQL(""), SQL("FALSE"), earning
        join = SQL(
            """LEFT JOIN %s earlier
                 ON earlier.program_id = t.program_id AND earlier.basis = %s AND earlier.source_id = s.source_id""",
            earlier,
            version.basis,
        )
        if method == "exclusive":
            return join, SQL("COALESCE(earlier.is_counted, FALSE)"), earning
        applies = SQL("TRUE")
        if method == "reduction":
            applies = SQL("t.reduction_apply AND t.reduction_basis IN ('both', %s)", run.purpose)
        left = SQL("%s - CASE WHEN %s THEN COALESCE(earlier.granted, 0) ELSE 0 END", earning, applies)
        return join, SQL("FALSE"), left

    # === BEST === #

    def _sql_best(self, rated):
        """-> relation: rated lines in which each line is paid by the programme of a *best* combination that grants most

        What the others would have granted is kept as `forgone_amount`. Of equal ones the earlier in order is paid.
        """
        return SQL(
            """SELECT r.*,
                      CASE WHEN c.id IS NOT NULL THEN row_number() OVER (
                          PARTITION BY c.id, r.basis, r.source_id, r.member_id
                          ORDER BY r.rebate_amount DESC, v.combination_order, v.program_id) END AS place
                 FROM %s r
                 JOIN channel_rebate_program_version v ON v.id = r.version_id
            LEFT JOIN channel_rebate_combination c ON c.id = v.combination_id AND c.method = 'best'""",
            rated,
        )
