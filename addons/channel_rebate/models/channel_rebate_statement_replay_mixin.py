import base64
import json
import zlib

from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.channel_base.tools.canonical import digest

from ..tools.relations import CommonTables
from ..tools.terms import Run, Term
from .channel_rebate_engine import columns
from .channel_rebate_engine_scope_mixin import FACT_KEY, FACT_VALUES

READERS = "channel_base.group_channel_finance,channel_base.group_channel_manager,channel_base.group_channel_auditor"


class ChannelRebateStatementReplayMixin(models.AbstractModel):
    """A statement proved again, whatever has happened since. Inherited by ``channel.rebate.statement``.

    Beside the figures that the payee reads, a statement keeps what they were calculated from: the measured lines of all
    whose lines add up with the payee's, and which version decided on which days. The terms of approved versions do not
    change, so the engine comes to the same cents again, from lines that have been edited, reversed or deleted since.
    """

    _name = "channel.rebate.statement.replay.mixin"
    _description = "Rebate Statement: Replay"

    sources = fields.Binary(
        readonly=True, copy=False, attachment=True, groups=READERS,
        help="The measured lines and the versions from which the figures were calculated, compressed JSON.",
    )
    sources_digest = fields.Char(readonly=True, copy=False, groups=READERS)

    def replay(self):
        """Prove a statement: from its own figures, and from what they were calculated from.

        :return: list of sentences about what does not hold; empty when the figures are those that were frozen, every
            window's settled and open are what was earned and corrected, the lines of each window wholly in the period
            add up to what it earned, and the engine comes to the same amounts from the lines and versions of that day
        """
        self.ensure_one()
        self.check_access("read")
        problems = self._frozen_problems()
        for program in self.content["programs"]:
            problems += self._replay_figures(program)
        # sudo: whoever may read a statement may know whether it holds; nothing else of its sources is told
        return problems + self.sudo()._replay_sources()

    def _replay_figures(self, program):
        problems, earned_by_lines = [], {}
        for line in program["lines"]:
            earned_by_lines[line["window"]] = earned_by_lines.get(line["window"], 0.0) + line["rebate"]
        for balance in program["balances"]:
            due = balance["entitlement"] + balance.get("correction", 0.0)
            if abs(due - balance["settled"] - balance["open"]) > 1e-6:
                problems.append(self.env._(
                    "%(program)s %(window)s: settled and open are not what was earned.",
                    program=program["code"], window=balance["window"],
                ))
            whole = (
                balance["window_start"] >= self.content["date_from"]
                and balance["window_end"] <= self.content["date_to"]
            )
            lines = earned_by_lines.get(balance["window"], 0.0) + balance.get("unallocated", 0.0)
            if whole and abs(lines - balance["entitlement"]) > 1e-6:
                problems.append(self.env._(
                    "%(program)s %(window)s: the lines add up to %(lines)s, %(entitlement)s was earned.",
                    program=program["code"], window=balance["window"], lines=f"{lines:.2f}",
                    entitlement=f"{balance['entitlement']:.2f}",
                ))
        return problems

    # === FROM THE SOURCES === #

    def _keep_sources(self):
        """Keep what the figures were calculated from, at the moment in which they are frozen."""
        self.ensure_one()
        engine = self.env["channel.rebate.engine"]
        # sudo: the payee's pool holds lines of other members, which only readers of the sources see
        balances = self.env["channel.rebate.balance"].sudo().browse(
            balance["balance_id"] for program in self.content["programs"] for balance in program["balances"]
        ).exists()
        pools = {(balance.program_id.id, (balance.pool_id or balance.member_id).id) for balance in balances}
        programs = balances.program_id
        self.env.flush_all()
        [(lines,)] = self.env.execute_query(SQL(
            """SELECT COALESCE(
                          jsonb_agg(to_jsonb(f) ORDER BY f.date, f.source_id, f.program_id, f.member_id), '[]')::text
                 FROM (
                    SELECT %(names)s
                      FROM channel_rebate_entry e
                      JOIN unnest(%(programs)s::int[], %(pools)s::int[]) pool(program_id, pool_id)
                        ON pool.program_id = e.program_id AND pool.pool_id = e.pool_id) f""",
            names=columns(FACT_KEY + FACT_VALUES, "e"),
            programs=[program for program, _pool in pools],
            pools=[pool for _program, pool in pools],
        ))
        terms = engine._terms(programs.version_ids.filtered(lambda v: v._is_in_force()))
        head = json.dumps({
            "accrued_to": {program.id: fields.Date.to_string(program.accrued_to) for program in programs},
            "terms": [
                [term.version.id, *(fields.Date.to_string(day) or None for day in days)]
                for term in terms
                for days in [(term.start, term.end, term.first_day)]
            ],
        })
        # One text from PostgreSQL as it is: its numbers have more digits than floats keep
        text = f'{head[:-1]}, "lines": {lines}}}'
        self.write({
            "sources": base64.b64encode(zlib.compress(text.encode())), "sources_digest": digest(text),
        })

    def _replay_sources(self):
        """-> list of sentences about windows for which the engine comes to another amount"""
        self.ensure_one()
        if not self.sources:
            return []  # made before sources were kept
        text = zlib.decompress(base64.b64decode(self.sources)).decode()
        if digest(text) != self.sources_digest:
            return [self.env._("What the figures were calculated from is not what was frozen.")]
        kept = json.loads(text)
        earned = {}
        for program_ids, date_to in self._replay_groups(kept):
            for row in self._replay_windows(kept, text, program_ids, date_to):
                if row["member_id"] == self.member_id.id:
                    earned[row["program_id"], row["window_start"].isoformat()] = float(row["entitlement"])
        return [
            self.env._(
                "%(program)s %(window)s: its lines and terms come to %(earned)s, %(entitlement)s was stated.",
                program=program["code"], window=balance["window"], earned=f"{found:.2f}",
                entitlement=f"{balance['entitlement']:.2f}",
            )
            for program in self.content["programs"] for balance in program["balances"]
            for found in [earned.get((program["program_id"], balance["window_start"]), 0.0)]
            if abs(found - balance["entitlement"]) > 1e-6
        ]

    def _replay_groups(self, kept):
        """Yield (ids of programmes, their last day): those that had been calculated up to the same day."""
        days = {}
        for program, day in kept["accrued_to"].items():
            days.setdefault(day, []).append(int(program))
        for day, programs in days.items():
            yield programs, fields.Date.to_date(day)

    def _replay_windows(self, kept, text, program_ids, date_to):
        """-> list of dicts (balances), as the engine makes them from kept lines"""
        engine = self.env["channel.rebate.engine"]
        versions = self.env["channel.rebate.program.version"].browse(row[0] for row in kept["terms"])
        terms = [
            Term(version, *(fields.Date.to_date(day) or None for day in days))
            for version, (_id, *days) in zip(versions, kept["terms"], strict=True)
            if version.program_id.id in program_ids
        ]
        run = Run(terms, date_to, CommonTables())
        run.add("term", engine._sql_terms(terms))
        lines = run.add("line", SQL(
            """SELECT %s FROM jsonb_populate_recordset(NULL::channel_rebate_entry, %s::jsonb -> 'lines') e
                WHERE e.program_id = ANY(%s)""",
            columns(FACT_KEY + FACT_VALUES, "e"), text, program_ids,
        ))
        engine._add_windows(run, lines)
        rated = run.add("rated", engine._sql_rated(run, lines))
        best = engine._sql_best_of(run.tables, [rated], terms)
        return self.env.execute_query_dict(
            run.tables.query(
                SQL("SELECT * FROM (%s) total", engine._sql_totals(run, engine._sql_earned_by_lines(best or rated)))
            )
        )
