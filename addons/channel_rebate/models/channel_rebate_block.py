from datetime import timedelta

from psycopg2.extras import Json

from odoo import fields, models
from odoo.tools import SQL

from ..tools.fields import LooseMany2one


class ChannelRebateBlock(models.Model):
    """What the calculation of one block of a programme's members has seen, until the programme as a whole takes over.

    Blocks are calculated by jobs of their own, in transactions of their own: a row says that one is done. Derived;
    nobody edits it.
    """

    _name = "channel.rebate.block"
    _description = "Calculated Block of Members"
    _log_access = False
    _order = "program_id, number"
    _rec_name = "number"

    program_id = LooseMany2one("channel.rebate.program", required=True, readonly=True)
    number = fields.Integer(required=True, readonly=True, help="Members whose id leaves this rest when divided by the "
                            "number of blocks.")
    count = fields.Integer(string="Number of Blocks", required=True, readonly=True)
    calculation = fields.Json(readonly=True, help="What the calculation has seen: see the engine.")

    _once = models.UniqueIndex("(program_id, number, count)")

    def _states(self, programs):
        """-> {programme id: {(number, count): what the block has seen}}"""
        result = {}
        for program_id, number, count, seen in self.env.execute_query(
            SQL(
                "SELECT program_id, number, count, calculation FROM channel_rebate_block WHERE program_id = ANY(%s)",
                list(programs.ids),
            )
        ):
            result.setdefault(program_id, {})[number, count] = seen
        return result

    def _remember(self, block, states):
        """Keep what a block has seen. Of two transactions that do so at once, the later fails to serialise."""
        number, count = block
        for program, seen in states.items():
            self.env.cr.execute(
                SQL(
                    """INSERT INTO channel_rebate_block (program_id, number, count, calculation)
                       VALUES (%s, %s, %s, %s)
                       ON CONFLICT (program_id, number, count) DO UPDATE SET calculation = EXCLUDED.calculation""",
                    program.id,
                    number,
                    count,
                    Json(seen),
                )
            )
        self.invalidate_model()

    def _forget_old(self):
        """A block whose programme did not follow for a month is calculated again, as a programme is."""
        self.env.cr.execute(
            SQL(
                "UPDATE channel_rebate_block SET calculation = NULL WHERE (calculation->>'day')::date < %s",
                fields.Date.today() - timedelta(days=30),
            )
        )
        self.invalidate_model()

    def _forget(self, programs):
        self.env.cr.execute(SQL("DELETE FROM channel_rebate_block WHERE program_id = ANY(%s)", list(programs.ids)))
        self.invalidate_model()
