from odoo import models
from odoo.tools import SQL

from ..tools.relations import CommonTables
from ..tools.terms import Run


def _number(value):
    """A percentage without the zeros at its end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


class ChannelRebateEngineExplainMixin(models.AbstractModel):
    """The same relations, read for one window: which tiers, which limits, what a line did."""

    _name = "channel.rebate.engine.explain.mixin"
    _description = "Rebate Engine: Explaining"

    def _drafted_window(self, balance, date_from):
        """-> what `_explained_window` gives, of a window that is not written: as if a draft version held

        :param balance: new record of a window, as `_simulate` describes it
        """
        program, version = balance.program_id, balance.version_id
        versions = program._with_combined().version_ids.filtered(lambda v: v._is_in_force()) | version
        pool = balance.pool_id or balance.member_id
        runs, _best = self._simulated(versions, date_from, balance.window_end, pools=(pool.id,))
        run = next(run for run in runs if program in run.programs)
        return run, SQL(
            "x.program_id = %s AND x.pool_id = %s AND x.window_start = %s", program.id, pool.id, balance.window_start
        )

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

    def _explain_bands(self, balance, unit_id=None, window=None):
        """-> list of dicts, one for each version and tier of the window, in order

        :param window: result of `_drafted_window`; of the balance as it is written if not given

        Keys: version_id, kind, boundary, earned (what the version pays on), measure (what tiers are compared with),
        total, reference, tier_id, lower, upper (None when open), rate, reached (bool), amount (inside the tier), rebate
        (exact), uncapped (before the cap of the tier), cap (None for none).
        """
        run, mine = window or self._explained_window(balance)
        if unit_id is not None:
            mine = SQL("%s AND x.unit_id = %s", mine, unit_id)
        return self.env.execute_query_dict(
            run.tables.query(
                SQL(
                    """SELECT x.version_id, t.kind, t.boundary, t.tier_measure, m.earned, m.measure, m.total,
                        m.reference,
                              x.tier_id, x.lower, x.upper, x.rate, bool_or(x.is_reached) AS reached,
                              sum(x.amount) AS amount, sum(LEAST(x.rebate, x.cap)) AS rebate,
                              sum(x.rebate) AS uncapped, max(x.cap) AS cap
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

    def _explain_limits(self, balance, window=None):
        """-> dict of what limits made of the window, amounts in the programme's currency, of all who earn it together

        `gross` (what tiers pay), `closed` (kept back by the gate or the mix), `over_cap`, `floor_added`, `unclaimed`
        (below the minimum claim), `top_up` (up to the guarantee), `due`, `beside` (of no line), and what they are
        compared with: `ceiling`, `guarantee`, `total`, `target`, `is_complete` (the mix); `late` and `forgone`: what
        the collection factor and a better programme took from the lines of the balance.
        """
        run, mine = window or self._explained_window(balance)
        (found,) = self.env.execute_query_dict(
            run.tables.query(
                SQL(
                    """SELECT sum(x.gross) AS gross,
                              sum(x.gross) FILTER (WHERE NOT x.opens) AS closed,
                              sum(x.gross - capped.amount) FILTER (WHERE x.opens) AS over_cap,
                              sum(floored.amount - capped.amount) FILTER (WHERE x.opens) AS floor_added,
                              sum(floored.amount) FILTER (WHERE x.opens AND NOT x.pays) AS unclaimed,
                              bool_and(x.opens) AS opens, bool_and(x.pays) AS pays,
                              sum(x.due) AS due, sum(x.top_up) AS top_up, sum(x.beside) AS beside,
                              max(x.ceiling) AS ceiling, max(x.guarantee) AS guarantee, max(x.total) AS total,
                              max(x.target) AS target, bool_and(paid.is_complete) AS is_complete
                         FROM %(limited)s x
                         JOIN %(term)s t ON t.version_id = x.version_id
                         JOIN %(paid)s paid
                           ON paid.program_id = x.program_id AND paid.pool_id = x.pool_id AND paid.decides
                          AND paid.window_start = x.window_start AND paid.unit_id = x.unit_id
                        CROSS JOIN LATERAL (SELECT LEAST(x.gross, x.ceiling) AS amount) capped
                        CROSS JOIN LATERAL (
                            SELECT CASE WHEN capped.amount > 0 THEN GREATEST(capped.amount, COALESCE(t.payout_floor, 0))
                                        ELSE capped.amount END AS amount) floored
                        WHERE %(mine)s""",
                    limited=run["limited"],
                    paid=run["paid"],
                    term=run["term"],
                    mine=mine,
                )
            )
        )
        if window:
            # What a line keeps is not written, so what it lost is not known
            return {name: value or 0 for name, value in {**found, "late": 0, "forgone": 0}.items()}
        ((late, forgone),) = self.env.execute_query(
            SQL(
                """SELECT sum(round(earning_amount * rate / 100 * COALESCE(share, 1), %s)
                              - COALESCE(forgone_amount, rebate_amount)) FILTER (WHERE collection_factor <> 100),
                          sum(forgone_amount)
                     FROM channel_rebate_entry
                    WHERE program_id = %s AND member_id = %s AND window_start = %s AND exclusion IS NULL""",
                balance.currency_id.decimal_places,
                balance.program_id.id,
                balance.member_id.id,
                balance.window_start,
            )
        )
        return {name: value or 0 for name, value in {**found, "late": late, "forgone": forgone}.items()}

    def _explain_limit_words(self, balance, bands, window=None):
        """-> list of sentences: what caps, gates, floors, guarantees and factors took from the tiers or added to them

        :param bands: result of `_explain_bands`
        """
        version = balance.version_id
        limits = self._explain_limits(balance, window)
        money = balance.currency_id.format
        words = []
        for band in bands:
            if band["cap"] and band["uncapped"] > band["rebate"]:
                words.append(
                    self.env._(
                        "The tier from %(lower)s pays %(cap)s at most: %(taken)s less than its rate.",
                        lower=version._bound_words(band["lower"]),
                        cap=money(band["cap"]),
                        taken=money(band["uncapped"] - band["rebate"]),
                    )
                )
        earned = sum({band["version_id"]: band["earned"] for band in bands}.values())
        if version.measure_cap and earned > version.measure_cap:
            words.append(
                self.env._(
                    "Paid on %(cap)s at most: %(over)s beyond it earns nothing.",
                    cap=version._earned_words(version.measure_cap),
                    over=version._earned_words(earned - version.measure_cap),
                )
            )
        if limits["closed"]:
            words.append(self._explain_gate(version, limits, money))
        if limits["over_cap"] > 0:
            words.append(
                self.env._(
                    "The cap took %(taken)s: %(gross)s was earned, a window pays %(cap)s at most.",
                    taken=money(limits["over_cap"]),
                    gross=money(limits["gross"]),
                    cap=money(limits["ceiling"]),
                )
            )
        if limits["floor_added"] > 0:
            words.append(
                self.env._(
                    "The floor added %(added)s: a window that earns anything pays %(floor)s at least.",
                    added=money(limits["floor_added"]),
                    floor=money(version.payout_floor),
                )
            )
        if limits["unclaimed"]:
            words.append(
                self.env._(
                    "%(amount)s is less than the minimum claim of %(minimum)s: nothing is paid.",
                    amount=money(limits["unclaimed"]),
                    minimum=money(version.minimum_claim),
                )
            )
        if limits["guarantee"]:
            words.append(self._explain_guarantee(limits, money))
        if limits["late"]:
            words.append(
                self.env._("Days to pay: the collection factor took %s.", money(limits["late"]))
                if limits["late"] > 0
                else self.env._("Days to pay: the collection factor added %s.", money(-limits["late"]))
            )
        if limits["forgone"]:
            words.append(
                self.env._(
                    "%(amount)s is granted by another programme of the combination “%(combination)s”, which grants "
                    "more.",
                    amount=money(limits["forgone"]),
                    combination=version.combination_id.name or "",
                )
            )
        if balance.unallocated_amount:
            words.append(
                self.env._("%s belongs to the window as a whole, to none of its lines.",
                           money(balance.unallocated_amount))
            )
        return words

    def _explain_gate(self, version, limits, money):
        """Why a window pays nothing although its tiers do."""
        target, total = limits["target"], limits["total"]
        measured = money if version.qualifying_measure == "amount" else _number
        if version.gate_percent and not (target and round(100 * total / target, 9) >= version.gate_percent):
            if not target:
                return self.env._(
                    "The gate is closed: no target is agreed to compare with, %(gross)s is not paid.",
                    gross=money(limits["gross"]),
                )
            return self.env._(
                "The gate is closed: %(total)s is %(reached)s %% of the target of %(target)s, %(gate)s %% is asked "
                "for. %(gross)s is not paid.",
                total=measured(total),
                reached=_number(100 * total / target),
                target=measured(target),
                gate=_number(version.gate_percent),
                gross=money(limits["closed"]),
            )
        return self.env._(
            "The mix is not complete, one of its components is below its minimum: %(gross)s is not paid.",
            gross=money(limits["closed"]),
        )

    def _explain_guarantee(self, limits, money):
        guarantee = money(limits["guarantee"])
        if limits["top_up"] > 0:
            return self.env._(
                "The guarantee of %(guarantee)s added %(added)s to the %(due)s that was earned.",
                guarantee=guarantee,
                added=money(limits["top_up"]),
                due=money(limits["due"]),
            )
        if limits["due"] < limits["guarantee"]:
            return self.env._(
                "The guarantee of %(guarantee)s added nothing: what earlier windows earned above theirs counts.",
                guarantee=guarantee,
            )
        return self.env._("The guarantee of %(guarantee)s added nothing: more was earned.", guarantee=guarantee)

    def _explain_line_limit_words(self, entry):
        """-> list of sentences: what became of a line's share beside its rate"""
        money = entry.currency_id.format
        words = []
        if entry.version_id.collection_ids and entry.collection_factor != 100:
            words.append(
                self.env._(
                    "Days to pay: %(factor)s %% of what the line earned is paid.",
                    factor=_number(entry.collection_factor),
                )
            )
        if entry.forgone_amount:
            words.append(
                self.env._(
                    "This programme would grant %(forgone)s; another one of the combination “%(combination)s” grants "
                    "more and pays.",
                    forgone=money(entry.forgone_amount),
                    combination=entry.version_id.combination_id.name or "",
                )
            )
        return words

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
