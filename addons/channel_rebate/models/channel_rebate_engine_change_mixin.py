import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from odoo import models
from odoo.fields import Date
from odoo.tools import SQL
from odoo.tools.sql import column_exists, table_exists

from ..tools.terms import GROWTH
from .channel_rebate_engine_scope_mixin import FACT_KEY, FACT_VALUES, RESULTS

#: Tables whose changes concern every basis: the columns that matter, and what is noted instead of the row's id.
COMMON_WATCHES = (
    (
        "channel_segment_membership", "INSERT", None, "CASE NEW.side WHEN 'member' THEN 'buyer' ELSE 'customer' END",
        "partner_id",
    ),
    ("res_partner", "UPDATE", ("channel_role",), "'buyer'", "id"),
    ("product_template", "UPDATE", ("channel_rebate_points", "channel_is_freight", "uom_id"), "'product'", "id"),
)  # fmt: skip
#: What entries earned until now, with its type, as far as it is compared.
OLD_RESULTS = {
    "tier_id": "int", "rate": "numeric", "total_after": "numeric", "rebate_amount": "numeric",
    "forgone_amount": "numeric",
}  # fmt: skip
#: Lines that are looked up one by one; more of them are found by reading everything once.
FEW = 50_000
WINDOW_KEY = ("program_id", "pool_id", "window_start", "unit_id")


@dataclass
class Plan:
    """Programmes that are calculated together, because the same lines have to be looked at."""

    programs: Any
    is_bulk: bool = False  # nothing is there yet
    is_whole: bool = False  # every line is looked at
    changed: Any = None  # relation of the lines to look at, None for all
    has_few: bool = False  # so few that each is looked up
    has_entries: bool = True
    block: tuple | None = None  # (number, count): the pools that are calculated, None for all
    prints: dict = field(default_factory=dict)  # {programme id: fingerprint of what it is calculated by}

    def is_combined(self):
        return bool(self.programs.version_ids.combination_id)


class ChannelRebateEngineChangeMixin(models.AbstractModel):
    """Incremental runs: which lines to look at again, and which rows to write.

    Triggers note the ids of rows that change. A programme keeps the snapshot of its last run; what is not visible in it
    is new. That is exact whatever the order in which transactions commit, and needs no clock.

    Whatever else the calculation depends on is either compared with what the last run found (products of lists), or
    part of
    a fingerprint (versions, figures, segments, places in the hierarchy, exchange rates); when that differs, every line
    of the programme is looked at.
    """

    _name = "channel.rebate.engine.change.mixin"
    _description = "Rebate Engine: Changes"

    _ONE_DAY = timedelta(days=1)

    # === WATCHES === #

    def _install_watches(self):
        """Create the triggers of all bases that there are. Idempotent; what is not installed yet is left out."""
        cr = self.env.cr
        if not table_exists(cr, "channel_rebate_change"):
            return
        cr.execute(
            """CREATE OR REPLACE FUNCTION channel_rebate_note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO channel_rebate_change (table_name, res_id)
                VALUES (TG_TABLE_NAME, CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END);
                RETURN NULL;
            END $$;
            CREATE OR REPLACE FUNCTION channel_rebate_note_payment() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO channel_rebate_change (table_name, res_id)
                SELECT 'account_move', line.move_id FROM account_move_line line
                 WHERE line.id IN (CASE TG_OP WHEN 'DELETE' THEN OLD.debit_move_id ELSE NEW.debit_move_id END,
                                   CASE TG_OP WHEN 'DELETE' THEN OLD.credit_move_id ELSE NEW.credit_move_id END);
                RETURN NULL;
            END $$;
            CREATE OR REPLACE TRIGGER channel_rebate_note_payment AFTER INSERT OR DELETE ON account_partial_reconcile
                FOR EACH ROW EXECUTE FUNCTION channel_rebate_note_payment()"""
        )
        columns, conditions = defaultdict(set), defaultdict(set)
        for code, _label in self._selection_basis():
            for watch in self._watch(code):
                columns[watch.table] |= set(watch.columns)
                conditions[watch.table].add(watch.condition)
        for table, names in columns.items():
            self._install_watch(table, sorted(names), sorted(conditions[table]))
        for table, operation, names, noted, column in COMMON_WATCHES:
            self._install_common_watch(table, operation, names, noted, column)

    def _install_watch(self, table, names, conditions):
        """Note the id of a row that comes, goes, or changes in one of these columns, while a condition holds of it."""
        names = [name for name in names if column_exists(self.env.cr, table, name)]
        condition = SQL(" OR ").join(SQL("(%s)", SQL(text)) for text in conditions)  # pylint: disable=sql-injection

        def of(row):
            return SQL(condition.code.replace("r.", f"{row}."))  # pylint: disable=sql-injection

        for operation, when in (
            ("INSERT", of("NEW")),
            ("DELETE", of("OLD")),
            (
                "UPDATE",
                SQL(
                    "(%s) IS DISTINCT FROM (%s) AND ((%s) OR (%s))",
                    SQL(", ").join(SQL("OLD.%s", SQL.identifier(name)) for name in names),
                    SQL(", ").join(SQL("NEW.%s", SQL.identifier(name)) for name in names),
                    of("OLD"),
                    of("NEW"),
                ),
            ),
        ):
            self.env.cr.execute(
                SQL(
                    """CREATE OR REPLACE TRIGGER %s AFTER %s ON %s FOR EACH ROW WHEN (%s)
                       EXECUTE FUNCTION channel_rebate_note()""",
                    SQL.identifier(f"channel_rebate_note_{operation.lower()}"),
                    SQL(operation),  # pylint: disable=sql-injection
                    SQL.identifier(table),
                    when,
                )
            )

    def _install_common_watch(self, table, operation, names, noted, column):
        function = SQL.identifier(f"channel_rebate_note_{table}")
        when = SQL("TRUE")
        if names:
            when = SQL(" OR ").join(
                SQL("OLD.%(c)s IS DISTINCT FROM NEW.%(c)s", c=SQL.identifier(name)) for name in names
            )
        self.env.cr.execute(
            SQL(
                """CREATE OR REPLACE FUNCTION %(function)s() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO channel_rebate_change (table_name, res_id) VALUES (%(noted)s, NEW.%(column)s);
                    RETURN NULL;
                END $$;
                CREATE OR REPLACE TRIGGER channel_rebate_note AFTER %(operation)s ON %(table)s FOR EACH ROW WHEN
                    (%(when)s)
                EXECUTE FUNCTION %(function)s()""",
                function=function,
                noted=SQL(noted),  # pylint: disable=sql-injection
                column=SQL.identifier(column),
                operation=SQL(operation),  # pylint: disable=sql-injection
                table=SQL.identifier(table),
                when=when,
            )
        )

    # === PLANS === #

    def _plans(self, programs, date_to, whole=False, block=None):
        """Yield a Plan for each group of programmes that the same lines are looked at for.

        :param block: (number, count) of the pools to calculate, None for all
        """
        self.env["channel.segment"]._refresh_pending()
        self._read_ahead(programs)
        ids = list(programs.ids)
        cluster = self._cluster()
        seen = self._seen(programs, block)
        prints = self._fingerprints(programs, date_to)
        rates = self._rate_prints(programs, seen=seen)
        with_entries = {
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """SELECT p.id FROM unnest(%s::int[]) p(id)
                        WHERE EXISTS (SELECT FROM channel_rebate_entry e WHERE e.program_id = p.id AND %s)""",
                    ids,
                    SQL("TRUE") if not block else SQL("mod(e.pool_id, %s) = %s", block[1], block[0]),
                )
            )
        }
        newly_listed = self._refresh_goods(programs)
        groups = defaultdict(programs.browse)
        for combined in self._combined(programs):
            states = {
                tuple(seen[program.id][name] for name in ("snapshot", "xid", "change", "date_to"))
                for program in combined
                if seen[program.id]
            }
            stale = whole or len(states) != 1 or any(
                not seen[program.id]
                or seen[program.id]["cluster"] != cluster
                or seen[program.id]["terms"] != prints[program.id]
                or seen[program.id]["rates"] != rates.get(program.id)
                for program in combined
            )
            if stale:
                groups["whole" if with_entries & set(combined.ids) else "bulk"] |= combined
            else:
                groups[states.pop()] |= combined
        for key, group in groups.items():
            if key == "bulk":
                yield Plan(group, is_bulk=True, is_whole=True, has_entries=False, block=block, prints=prints)
            elif key == "whole":
                yield Plan(group, is_whole=True, block=block, prints=prints)
            else:
                plan = Plan(group, block=block, prints=prints)
                plan.changed, count = self._changed(group, key, date_to, newly_listed)
                plan.has_few = count <= FEW
                yield plan

    def _combined(self, programs):
        """Yield the programmes that have to be calculated together, because a combination connects them."""
        left = programs.filtered(lambda program: program.version_ids.combination_id)
        yield from programs - left
        while left:
            together, seen = left[:1], left.browse()
            while together != seen:
                seen = together
                together |= programs & together.version_ids.combination_id.version_ids.program_id
            left -= together
            yield together

    def _cluster(self):
        """The PostgreSQL server that transaction numbers belong to: a dump restored elsewhere is looked at whole."""
        return self.env.execute_query(SQL("SELECT system_identifier::text FROM pg_control_system()"))[0][0]

    def _fingerprints(self, programs, date_to):
        """-> {programme id: what its calculation depends on beside source lines and products}"""
        figures = dict(
            self.env.execute_query(
                SQL(
                    """SELECT program_id, string_agg(id::text, ',' ORDER BY id) FROM channel_rebate_figure
                        WHERE state = 'approved' AND program_id = ANY(%s) GROUP BY program_id""",
                    list(programs.ids),
                )
            )
        )
        kinds = set(programs.version_ids.mapped("payee_kind")) & {"parent", "group", "agent"}
        places = None
        if kinds:
            ((places,),) = self.env.execute_query(
                SQL(
                    "SELECT md5(string_agg(place::text, ';' ORDER BY place)) FROM (%s) place", self._sql_places(kinds)
                )
            )
        result = {}
        for program in programs:
            versions = program.version_ids.filtered(lambda v: v._is_in_force()).sorted("id")
            segments = versions.segment_ids | versions.earning_segment_ids
            facts = [
                program.currency_id.id,
                [(v.id, str(v.valid_from), str(v.valid_to), v.contract_version_id.id) for v in versions],
                [(s.id, s.active, s.member_all, s.customer_all, s.company_id.id) for s in segments.sorted("id")],
                figures.get(program.id),
                places if set(versions.mapped("payee_kind")) & kinds else None,
                # which version is the latest of a window follows from the day
                [v.id for v in versions if v.version_policy == "latest" and v.valid_from <= date_to],
            ]
            result[program.id] = hashlib.sha256(repr(facts).encode()).hexdigest()
        return result

    def _rate_prints(self, programs, date_to=None, seen=None):
        """-> {programme id: exchange rates up to a day, or the last run's (of `seen`)}, for those that convert by the
        rate table
        """
        converting = programs.filtered(
            lambda p: (date_to or seen[p.id])
            and (
                p.currency_id != p.company_id.currency_id
                or any(
                    v.rate_date in ("order", "window")
                    or {v.qualifying_price, v.earning_price} - {"net"}
                    or v.qualifying_tax
                    or v.earning_tax
                    or "formula" in (v.qualifying_measure, v.earning_measure)
                    for v in p.version_ids
                )
            )
        )
        days = {program.id: str(date_to or seen[program.id]["date_to"]) for program in converting}
        prints = {day: self._rate_print(day) for day in set(days.values())}
        return {program_id: prints[day] for program_id, day in days.items()}

    def _rate_print(self, date_to):
        ((found,),) = self.env.execute_query(
            SQL(
                """SELECT md5(string_agg(concat_ws(',', id, currency_id, company_id, name, rate), ';' ORDER BY id))
                     FROM res_currency_rate WHERE name <= %s""",
                date_to,
            )
        )
        return found

    def _remember(self, plan, date_to):
        """Keep what this run has seen, in the same transaction as what it wrote."""
        ((snapshot, xid, change),) = self.env.execute_query(
            SQL(
                """SELECT pg_current_snapshot()::text, pg_current_xact_id()::text,
                          COALESCE((SELECT max(id) FROM channel_rebate_change WHERE xid = pg_current_xact_id()), 0)"""
            )
        )
        state = {
            "cluster": self._cluster(),
            "snapshot": snapshot,
            "xid": xid,
            "change": change,
            "date_to": str(date_to),
            "day": str(Date.today()),
        }
        rates = self._rate_prints(plan.programs, date_to)
        states = {
            program: {**state, "terms": plan.prints[program.id], "rates": rates.get(program.id)}
            for program in plan.programs
        }
        if plan.block:
            self.env["channel.rebate.block"]._remember(plan.block, states)
            return
        # by itself: nobody follows this field
        self.env.cr.execute(
            SQL(
                """UPDATE channel_rebate_program p SET calculation = given.seen::jsonb
                     FROM unnest(%s::int[], %s::text[]) given(id, seen) WHERE p.id = given.id""",
                [program.id for program in states],
                [json.dumps(seen) for seen in states.values()],
            )
        )
        plan.programs.invalidate_recordset(["calculation"], flush=False)
        self.env["channel.rebate.block"]._forget(plan.programs)

    def _seen(self, programs, block=None):
        """-> {programme id: what its last run has seen, or None to look at everything}

        Blocks that were calculated apart have seen as much as the first of them; while some are missing, nobody knows
        what the programme has seen.
        """
        blocks = self.env["channel.rebate.block"]._states(programs)
        result = {}
        for program in programs:
            states = blocks.get(program.id, {})
            if not states:
                result[program.id] = program.calculation
            elif block:
                result[program.id] = states.get(block)
                if block not in states and len({count for _number, count in states} | {block[1]}) == 1:
                    result[program.id] = program.calculation
            else:
                counts = {count for _number, count in states}
                whole = counts == {len(states)}
                result[program.id] = self._oldest(list(states.values())) if whole else None
        return result

    def _oldest(self, states):
        """-> of states that agree in all but the moment, the one that has seen least; None if they do not agree"""
        if len({(s["cluster"], s["terms"], s["rates"], s["date_to"]) for s in states}) > 1:
            return None

        def moment(state):
            begin, end, running = state["snapshot"].split(":")
            return int(begin), int(end), -len(running.split(",")) if running else 0

        return min(states, key=moment)

    def _can_split(self, programs):
        """:return: whether members can be calculated apart: pools are paid as such, and no programme waits for another
        """
        versions = programs.version_ids
        return not versions.combination_id and not set(versions.mapped("distribution")) & {"share", "contribution"}

    # === PRODUCTS === #

    def _refresh_goods(self, programs):
        """Bring the products of lists up to date. -> relation `(version_id, product_id)`: named since, or otherwise
        than before; None: nothing is
        """
        versions = programs.version_ids.filtered(lambda v: v._is_in_force())
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp._rebate_listed")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE _rebate_listed ON COMMIT DROP AS
                WITH fresh AS MATERIALIZED (%(fresh)s)
                SELECT f.* FROM fresh f
             LEFT JOIN channel_rebate_goods g ON g.version_id = f.version_id AND g.product_id = f.product_id
                 WHERE (g.in_target, g.in_earning, g.is_excluded, g.in_market, g.component_id)
                       IS DISTINCT FROM (f.in_target, f.in_earning, f.is_excluded, f.in_market, f.component_id)""",
                fresh=self._sql_goods(versions),
            )
        )
        self.env.cr.execute(
            """INSERT INTO channel_rebate_goods AS g
                    (version_id, product_id, in_target, in_earning, is_excluded, in_market, component_id)
               SELECT version_id, product_id, in_target, in_earning, is_excluded, in_market, component_id
                 FROM _rebate_listed
               ON CONFLICT (version_id, product_id) DO UPDATE
                  SET in_target = EXCLUDED.in_target, in_earning = EXCLUDED.in_earning,
                      is_excluded = EXCLUDED.is_excluded, in_market = EXCLUDED.in_market,
                      component_id = EXCLUDED.component_id"""
        )
        return SQL.identifier("_rebate_listed") if self.env.cr.rowcount else None

    # === CHANGED LINES === #

    def _changed(self, programs, state, date_to, newly_listed):
        """-> temporary table `(basis, source_id)` of the lines that these programmes look at again, and their number"""
        snapshot, xid, change, seen_to = state
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS pg_temp._rebate_noted")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE _rebate_noted ON COMMIT DROP AS
                SELECT DISTINCT table_name, res_id FROM channel_rebate_change
                 WHERE xid >= pg_snapshot_xmin(%(snapshot)s::pg_snapshot)
                   AND CASE WHEN xid = %(xid)s::xid8 THEN id > %(change)s
                            ELSE NOT pg_visible_in_snapshot(xid, %(snapshot)s::pg_snapshot) END""",
                snapshot=snapshot,
                xid=xid,
                change=change,
            )
        )
        cr.execute("ANALYZE _rebate_noted")
        noted = {name for (name,) in self.env.execute_query(SQL("SELECT DISTINCT table_name FROM _rebate_noted"))}
        lines = []
        versions = programs.version_ids.filtered(lambda v: v._is_in_force())
        for basis, group in versions.grouped("basis").items():
            lines += [
                SQL("SELECT %s::varchar AS basis, x.source_id FROM (%s) x(source_id)", basis, select)
                for select in self._changed_of_basis(basis, group, noted, Date.to_date(seen_to), date_to)
            ]
        if newly_listed:
            lines.append(
                SQL(
                    """SELECT e.basis, e.source_id FROM channel_rebate_entry e
                         JOIN %s listed ON listed.version_id = e.version_id AND listed.product_id = e.product_id
                        WHERE e.program_id = ANY(%s) AND e.exclusion IS NOT NULL""",
                    newly_listed,
                    list(programs.ids),
                )
            )
        at_window_rate = versions.filtered(lambda v: v.rate_date == "window")
        if at_window_rate:
            lines.append(
                SQL(
                    """SELECT e.basis, e.source_id FROM channel_rebate_entry e
                        WHERE e.program_id = ANY(%s) AND e.version_id = ANY(%s) AND e.window_end > %s""",
                    list(programs.ids),
                    list(at_window_rate.ids),
                    seen_to,
                )
            )
        lines.append(SQL("SELECT NULL::varchar AS basis, NULL::int AS source_id WHERE FALSE"))
        cr.execute("DROP TABLE IF EXISTS pg_temp._rebate_changed")
        cr.execute(
            SQL("CREATE TEMPORARY TABLE _rebate_changed ON COMMIT DROP AS %s", SQL(" UNION ").join(lines))
        )
        count = cr.rowcount
        cr.execute("ANALYZE _rebate_changed")
        return SQL.identifier("_rebate_changed"), count

    def _changed_of_basis(self, basis, versions, noted, seen_to, date_to):
        """Yield selects of source ids: lines that were noted, directly or by what they belong to, and lines newly
        due.
        """

        def ids_of(name):
            return SQL("SELECT res_id FROM _rebate_noted WHERE table_name = %s", name)

        for watch in self._watch(basis):
            if watch.table in noted:
                yield watch.lines(ids_of(watch.table))
        companies = self.env["res.company"].search([("id", "child_of", versions.company_id.ids)])
        columns = ["source_id", "buyer_id", "customer_id", "product_id", "date"]
        source = self._basis(basis, companies, columns)
        if "buyer" in noted:
            yield SQL("SELECT source_id FROM (%s) s WHERE buyer_id IN (%s)", source, ids_of("buyer"))
            yield SQL(
                "SELECT source_id FROM channel_rebate_entry WHERE program_id = ANY(%s) AND buyer_id IN (%s)",
                list(versions.program_id.ids),
                ids_of("buyer"),
            )
        if "customer" in noted:
            yield SQL(
                """SELECT source_id FROM (%s) s
                    WHERE customer_id IN (SELECT id FROM res_partner WHERE commercial_partner_id IN (%s))""",
                source,
                ids_of("customer"),
            )
        if "product" in noted:
            yield SQL(
                """SELECT source_id FROM (%s) s
                    WHERE product_id IN (SELECT id FROM product_product WHERE product_tmpl_id IN (%s))""",
                source,
                ids_of("product"),
            )
        if date_to > seen_to:
            yield SQL("SELECT source_id FROM (%s) s WHERE date > %s AND date <= %s", source, seen_to, date_to)

    # === WRITING WHAT CHANGED === #

    def _write_changes(self, run, plan):
        """Bring entries in line with the facts of the lines looked at, then the windows concerned."""
        programs = list(run.programs.ids)
        entries = SQL.identifier("channel_rebate_entry")
        if run.changed:
            entries = SQL(
                """(SELECT e.* FROM channel_rebate_entry e
                      JOIN %s c ON c.basis = e.basis AND c.source_id = e.source_id)""",
                run.changed,
            )
        facts = self._add_facts(run, SQL.identifier("channel_rebate_goods"), entries)
        looked_at = SQL("e.program_id = ANY(%s) AND %s", programs, run.in_block(SQL("e.pool_id")))
        if run.changed:
            looked_at = SQL(
                """%s AND %s AND EXISTS (
                    SELECT FROM %s c WHERE c.basis = e.basis AND c.source_id = e.source_id)""",
                looked_at,
                run.among_changed(SQL("e.source_id")),
                run.changed,
            )
        differs = SQL(" OR ").join(
            SQL("e.%(c)s IS DISTINCT FROM f.%(c)s", c=SQL.identifier(name)) for name in FACT_VALUES
        )
        same_line = SQL(" AND ").join(
            SQL("e.%(c)s = f.%(c)s", c=SQL.identifier(name)) for name in FACT_KEY
        )
        before = run.add("before_change", SQL("SELECT e.* FROM channel_rebate_entry e WHERE %s", looked_at))
        gone = run.add(
            "gone",
            SQL(
                """SELECT e.id, e.program_id, e.pool_id, e.window_start, e.unit_id, e.date, e.source_id, e.basis
                     FROM %s e WHERE NOT EXISTS (SELECT FROM %s f WHERE %s)""",
                before,
                facts,
                same_line,
            ),
        )
        fresh = run.add(
            "fresh",
            SQL(
                """SELECT f.*, e.id AS entry_id, e.pool_id AS old_pool_id, e.window_start AS old_window_start,
                          e.unit_id AS old_unit_id, e.date AS old_date
                     FROM %s f LEFT JOIN %s e ON %s
                    WHERE e.id IS NULL OR %s""",
                facts,
                before,
                same_line,
                differs,
            ),
        )
        moved = run.add(
            "moved",
            SQL(
                """SELECT DISTINCT ON (program_id, pool_id, window_start, unit_id)
                          program_id, pool_id, window_start, unit_id, date, source_id
                     FROM (
                        SELECT program_id, pool_id, window_start, unit_id, date, source_id FROM %(gone)s
                        UNION ALL
                        SELECT program_id, pool_id, window_start, unit_id, date, source_id FROM %(fresh)s
                        UNION ALL
                        SELECT program_id, old_pool_id, old_window_start, old_unit_id, old_date, source_id
                          FROM %(fresh)s WHERE entry_id IS NOT NULL
                     ) line
                    ORDER BY program_id, pool_id, window_start, unit_id, date, source_id""",
                gone=gone,
                fresh=fresh,
            ),
        )
        cr = self.env.cr
        cr.execute(SQL("DELETE FROM channel_rebate_entry e USING %s gone WHERE e.id = gone.id", gone))
        cr.execute(
            SQL(
                """UPDATE channel_rebate_entry e SET %s, total_after = NULL, rebate_amount = NULL, forgone_amount = NULL
                     FROM %s f WHERE e.id = f.entry_id""",
                SQL(", ").join(SQL("%(c)s = f.%(c)s", c=SQL.identifier(name)) for name in FACT_VALUES),
                fresh,
            )
        )
        # new lines are written once, with what they earn; until then they stand beside the entries
        facts = SQL(", ").join(SQL.identifier(name) for name in FACT_KEY + FACT_VALUES)
        new = SQL(
            "SELECT %s, NULL::int AS entry_id, %s FROM %s f WHERE entry_id IS NULL",
            facts,
            SQL(", ").join(SQL("NULL::%s AS %s", SQL(of_type), SQL.identifier(f"old_{name}"))
                           for name, of_type in OLD_RESULTS.items()),
            fresh,
        )
        touched = run.add("touched", self._sql_touched(run, moved), key=WINDOW_KEY)
        lines = self._sql_lines_of(touched, new)
        sums = run.add("summed", self._sql_window_sums(lines))
        self._add_windows(run, lines, sums)
        start = run.add("start", self._sql_start(run, touched), key=WINDOW_KEY)
        lines = self._sql_lines_of(start, new, SQL("AND (e.date, e.source_id) >= (k.date, k.source_id)"))
        kept = ("entry_id", *(f"old_{name}" for name in OLD_RESULTS))
        changed = run.add("rerated", self._sql_rerated(SQL("(%s)", self._sql_rated(run, lines, start, kept))))
        cr.execute(
            SQL(
                """UPDATE channel_rebate_entry e
                      SET tier_id = r.tier_id, rate = r.rate, total_after = r.total_after, forgone_amount = NULL,
                          rebate_amount = r.rebate_amount
                     FROM %s r WHERE e.id = r.entry_id""",
                changed,
            )
        )
        names = SQL(", ").join(SQL.identifier(name) for name in FACT_KEY + FACT_VALUES + RESULTS)
        cr.execute(
            SQL(
                "INSERT INTO channel_rebate_entry (%s) SELECT %s FROM %s WHERE entry_id IS NULL", names, names, changed
            )
        )
        if "best" in run.versions.combination_id.mapped("method"):
            self._settle_best(
                run, SQL("SELECT basis, source_id FROM %s UNION SELECT basis, source_id FROM %s", changed, gone)
            )
        self._write_touched_balances(run, touched, sums, changed)
        if plan.changed and plan.is_combined():
            # what later rounds look at: lines on which this one grants something else now
            cr.execute(
                SQL(
                    """INSERT INTO %(changed)s (basis, source_id)
                       SELECT basis, source_id FROM (
                            SELECT basis, source_id FROM %(rerated)s UNION SELECT basis, source_id FROM %(gone)s) line
                       EXCEPT SELECT basis, source_id FROM %(changed)s""",
                    changed=plan.changed,
                    rerated=changed,
                    gone=gone,
                )
            )

    def _sql_touched(self, run, moved):
        """-> windows to calculate again, with the place of their first changed line, if any

        Windows that others are compared with, added to, or in competition with take those of their pool along; where
        payees share what several pools earn, those of all pools; programmes that pay without lines calculate all their
        windows.
        """
        linked = run.versions.filtered(
            lambda v: v.window_type == "rolling"
            or v.accumulation in ("cumulative", "year")
            or v.tier_measure in GROWTH
            or v.earning_base == "growth"
            or v.kind == "formula"
            or v.guarantee_carry
        ).program_id
        best = run.versions.filtered(lambda v: v.combination_id.method == "best").program_id
        shared = run.versions.filtered(lambda v: v.distribution == "share").program_id
        standing = run.versions.filtered(
            lambda v: v.kind == "lump_sum" or v.guarantee or "guarantee" in v.program_id.figure_ids.mapped("kind")
        ).program_id
        return SQL(
            """SELECT program_id, pool_id, window_start, unit_id, date, source_id FROM %(moved)s
               UNION ALL
               SELECT e.program_id, e.pool_id, e.window_start, e.unit_id, NULL::date, NULL::int
                 FROM (
                    SELECT DISTINCT program_id, pool_id, window_start, unit_id FROM channel_rebate_entry
                     WHERE program_id = ANY(%(standing)s) AND %(in_block)s
                    UNION
                    SELECT program_id, pool_id, window_start, unit_id FROM channel_rebate_entry
                     WHERE program_id = ANY(%(shared)s)
                       AND (program_id, window_start) IN (SELECT program_id, window_start FROM %(moved)s)
                    UNION
                    SELECT pool.program_id, pool.pool_id, place.window_start, place.unit_id
                      FROM (
                        SELECT program_id, pool_id FROM %(moved)s WHERE program_id = ANY(%(linked)s)
                        UNION
                        SELECT program_id, pool_id
                          FROM unnest(%(best)s::int[]) program_id
                         CROSS JOIN (SELECT DISTINCT pool_id FROM %(moved)s WHERE program_id = ANY(%(best)s)) pool
                      ) pool
                     CROSS JOIN LATERAL (%(places)s) place
                 ) e
                WHERE NOT EXISTS (
                    SELECT FROM %(moved)s m WHERE m.program_id = e.program_id AND m.pool_id = e.pool_id
                       AND m.window_start = e.window_start AND m.unit_id = e.unit_id)""",
            moved=moved,
            in_block=run.in_block(SQL("pool_id")),
            places=self._sql_places_of_pool(),
            linked=list(linked.ids),
            standing=list(standing.ids),
            best=list(best.ids),
            shared=list(shared.ids),
        )

    def _sql_places_of_pool(self):
        """-> select `(window_start, unit_id)` of all entries of `pool`: stepping through the index, from one window to
        the next, without reading their lines
        """

        def first(after):
            return SQL(
                """SELECT e.window_start, e.unit_id FROM channel_rebate_entry e
                    WHERE e.program_id = pool.program_id AND e.pool_id = pool.pool_id AND %s
                    ORDER BY e.window_start, e.unit_id LIMIT 1""",
                after,
            )

        return SQL(
            """WITH RECURSIVE place AS (
                (%s)
                UNION ALL
                SELECT step.* FROM place p
                 CROSS JOIN LATERAL (%s) step)
               SELECT * FROM place""",
            first(SQL("TRUE")),
            first(SQL("(e.window_start, e.unit_id) > (p.window_start, p.unit_id)")),
        )

    def _sql_start(self, run, touched):
        """-> windows whose lines are rated again, from which line on, and the running total before it

        Lines before the first changed one earn as before when the curve of their window has the same shape.
        """
        return SQL(
            """SELECT k.program_id, k.pool_id, k.window_start, k.unit_id, from_line.date, from_line.source_id,
                      before.total_after AS carried
                 FROM %(touched)s k
                 JOIN (SELECT DISTINCT program_id, pool_id, window_start, unit_id, shape FROM %(curve)s) c
                   ON c.program_id = k.program_id AND c.pool_id = k.pool_id AND c.window_start = k.window_start
                  AND c.unit_id = k.unit_id
            LEFT JOIN channel_rebate_balance b
                   ON b.program_id = k.program_id AND b.member_id = k.pool_id AND b.window_start = k.window_start
                  AND k.unit_id = 0 AND b.shape = c.shape
           CROSS JOIN LATERAL (
                SELECT CASE WHEN b.id IS NULL THEN '-infinity' ELSE k.date END AS date,
                       CASE WHEN b.id IS NULL THEN 0 ELSE k.source_id END AS source_id) from_line
            LEFT JOIN LATERAL (
                SELECT e.total_after FROM channel_rebate_entry e
                 WHERE e.program_id = k.program_id AND e.pool_id = k.pool_id AND e.window_start = k.window_start
                   AND e.unit_id = k.unit_id AND (e.date, e.source_id) < (from_line.date, from_line.source_id)
                 ORDER BY e.date DESC, e.source_id DESC LIMIT 1) before ON b.id IS NOT NULL
                WHERE from_line.date IS NOT NULL""",
            touched=touched,
            curve=run["curve"],
        )

    def _sql_lines_of(self, windows, new, condition=None):
        """-> relation of facts, with the entry and what it earned until now: entries of these windows, and lines that
        are none yet

        :param windows: relation of windows `k`
        :param new: select of lines that are no entries yet
        :param condition: which lines `e` of a window `k`
        """
        entries = SQL(
            "SELECT %s, id AS entry_id, %s FROM channel_rebate_entry",
            SQL(", ").join(SQL.identifier(name) for name in FACT_KEY + FACT_VALUES),
            SQL(", ").join(SQL("%s AS %s", SQL.identifier(n), SQL.identifier(f"old_{n}")) for n in OLD_RESULTS),
        )
        return SQL(
            "(%s UNION ALL %s)",
            *(
                SQL(
                    """SELECT e.* FROM (%s) e JOIN %s k
                          ON k.program_id = e.program_id AND k.pool_id = e.pool_id AND k.window_start = e.window_start
                         AND k.unit_id = e.unit_id %s""",
                    lines,
                    windows,
                    condition or SQL(""),
                )
                for lines in (entries, new)
            ),
        )

    def _sql_window_sums(self, lines):
        """-> select of `_sql_sums` for each payee, with what the lines earned until now: the one time that all lines of
        the windows are read
        """
        return SQL(
            """SELECT program_id, version_id, pool_id, window_start, window_end, unit_id, member_id, %s,
                      COALESCE(sum(f.old_rebate_amount) FILTER (WHERE f.exclusion IS NULL), 0) AS rebate
                 FROM %s f GROUP BY program_id, version_id, pool_id, window_start, window_end, unit_id, member_id""",
            self._sql_sums_of_facts(),
            lines,
        )

    def _sql_rerated(self, rated):
        """-> rated lines that differ from their entries, or have none yet"""
        return SQL(
            """SELECT * FROM %s r
                WHERE entry_id IS NULL
                   OR (old_tier_id, old_rate, old_total_after, COALESCE(old_forgone_amount, old_rebate_amount))
                      IS DISTINCT FROM (tier_id, rate, total_after, rebate_amount)""",
            rated,
        )

    def _write_touched_balances(self, run, touched, sums, changed):
        """Balances of the windows that were calculated again.

        They come to the sums of their lines before, and what these earn more now. All lines are read a second time only
        where others than those of the window tell: of pools split by contribution all members', of documents that
        count by themselves the rest of the window's, and of *best* programmes what another one took.
        """
        windows = run.add(
            "touched_window",
            SQL(
                """SELECT program_id, pool_id, window_start FROM %s
                   UNION SELECT program_id, pool_id, window_start FROM %s""",
                touched,
                run["limited"],
            ),
        )
        split = run.versions.filtered(lambda v: v.distribution == "contribution").program_id
        reread = split | run.versions.filtered(
            lambda v: v.accumulation in ("document", "line") or v.combination_id.method == "best"
        ).program_id
        entries = SQL(
            """(SELECT e.* FROM channel_rebate_entry e
                  JOIN (SELECT program_id, pool_id, window_start FROM %(windows)s
                         WHERE program_id = ANY(%(reread)s)
                        UNION
                        SELECT e.program_id, e.pool_id, e.window_start FROM channel_rebate_entry e
                          JOIN %(windows)s w ON w.program_id = e.program_id AND w.window_start = e.window_start
                         WHERE e.program_id = ANY(%(split)s)) k
                    ON k.program_id = e.program_id AND k.pool_id = e.pool_id AND k.window_start = e.window_start)""",
            windows=windows,
            reread=list(reread.ids),
            split=list(split.ids),
        )
        by_lines = SQL(
            """SELECT program_id, member_id, pool_id, window_start, window_end, lines, earning AS base, rebate
                 FROM %(sums)s
                WHERE lines > 0 AND program_id <> ALL(%(reread)s)
               UNION ALL
               SELECT program_id, member_id, pool_id, window_start, window_end, 0, 0,
                      sum(rebate_amount - COALESCE(old_rebate_amount, 0))
                 FROM %(changed)s
                WHERE exclusion IS NULL AND program_id <> ALL(%(reread)s)
                GROUP BY program_id, member_id, pool_id, window_start, window_end""",
            sums=sums,
            changed=changed,
            reread=list(reread.ids),
        )
        if reread:
            by_lines = SQL("%s UNION ALL SELECT * FROM (%s) again", by_lines, self._sql_earned_by_lines(entries))
        self._write_balances(
            run,
            by_lines,
            SQL(
                """EXISTS (SELECT FROM %s w WHERE w.program_id = b.program_id AND w.window_start = b.window_start
                              AND w.pool_id = COALESCE(b.pool_id, b.member_id))""",
                windows,
            ),
        )

    # === BEST === #

    def _settle_best(self, run, lines):
        """Of the programmes of a *best* combination, let each of these lines be paid by the one that grants most."""
        combined = run.versions.combination_id.filtered(lambda c: c.method == "best")
        rated = SQL(
            """(SELECT e.id, e.version_id, e.basis, e.source_id, e.member_id,
                       COALESCE(e.forgone_amount, e.rebate_amount) AS rebate_amount
                  FROM channel_rebate_entry e
                  JOIN (%s) line ON line.basis = e.basis AND line.source_id = e.source_id
                  JOIN channel_rebate_program_version v ON v.id = e.version_id AND v.combination_id = ANY(%s))""",
            lines,
            list(combined.ids),
        )
        self.env.cr.execute(
            SQL(
                """UPDATE channel_rebate_entry e
                      SET rebate_amount = CASE WHEN b.place > 1 THEN 0 ELSE b.rebate_amount END,
                          forgone_amount = CASE WHEN b.place > 1 THEN b.rebate_amount END
                     FROM (%s) b
                    WHERE e.id = b.id
                      AND (e.rebate_amount, e.forgone_amount) IS DISTINCT FROM (
                        CASE WHEN b.place > 1 THEN 0 ELSE b.rebate_amount END,
                        CASE WHEN b.place > 1 THEN b.rebate_amount END)""",
                self._sql_best(rated),
            )
        )
