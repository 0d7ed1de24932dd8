from odoo import api, fields, models


class ChannelRebateChange(models.Model):
    """Something that programmes count was changed: triggers of the database write here, whatever changed it.

    A row is seen by the next run of each programme: see the change mixin of the engine. Nobody else reads it.
    """

    _name = "channel.rebate.change"
    _description = "Change of a Source Line"
    _log_access = False
    _order = "id"

    table_name = fields.Char(required=True, readonly=True)
    res_id = fields.Integer(required=True, readonly=True)

    def init(self):
        # which runs have seen a row follows from its transaction and the snapshots that they kept
        self.env.cr.execute(
            """ALTER TABLE channel_rebate_change
                 ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT pg_current_xact_id();
               CREATE INDEX IF NOT EXISTS channel_rebate_change_xid_idx ON channel_rebate_change (xid)"""
        )
        self.env["channel.rebate.engine"]._install_watches()

    @api.autovacuum
    def _gc_seen(self):
        """Forget changes that every programme has seen."""
        # a programme that never ran, or not for long, looks at everything when it does
        self.env["channel.rebate.program"]._forget_old_calculations()
        self.env["channel.rebate.block"]._forget_old()
        self.env.cr.execute(
            """DELETE FROM channel_rebate_change
                WHERE xid < COALESCE(
                    (SELECT min(pg_snapshot_xmin((calculation->>'snapshot')::pg_snapshot)::text::numeric)
                       FROM (SELECT calculation FROM channel_rebate_program
                             UNION ALL SELECT calculation FROM channel_rebate_block) seen
                      WHERE calculation->>'snapshot' IS NOT NULL),
                    pg_snapshot_xmin(pg_current_snapshot())::text::numeric)::text::xid8"""
        )
