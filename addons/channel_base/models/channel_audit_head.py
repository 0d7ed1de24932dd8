from odoo import fields, models
from odoo.tools import SQL


class ChannelAuditHead(models.Model):
    """Where the chain of a company ends: kept apart, so that a tail cut off is missed."""

    _name = "channel.audit.head"
    _description = "Audit Journal Head"
    _rec_name = "company_id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    seq = fields.Integer(string="Sealed Entries", readonly=True, aggregator=None)
    hash = fields.Char(readonly=True)
    entry_id = fields.Integer(string="Last Entry", readonly=True, aggregator=None)

    _company_uniq = models.Constraint("UNIQUE (company_id)", "A company has one audit journal.")

    def init(self):
        """The head only moves forward, also for who bypasses Odoo (idempotent)."""
        self.env.cr.execute(
            SQL(
                """
            CREATE OR REPLACE FUNCTION channel_audit_head_guard() RETURNS trigger
            LANGUAGE plpgsql AS $guard$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF NEW.company_id = OLD.company_id AND NEW.id = OLD.id
                        AND (NEW.seq > OLD.seq OR NEW IS NOT DISTINCT FROM OLD) THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION USING
                    MESSAGE = 'The head of the audit journal only moves forward: ' || TG_OP || ' is refused.',
                    ERRCODE = 'restrict_violation';
            END $guard$;
            CREATE OR REPLACE TRIGGER channel_audit_head_guard_row
                BEFORE UPDATE OR DELETE ON channel_audit_head
                FOR EACH ROW EXECUTE FUNCTION channel_audit_head_guard();
            CREATE OR REPLACE TRIGGER channel_audit_head_guard_truncate
                BEFORE TRUNCATE ON channel_audit_head
                FOR EACH STATEMENT EXECUTE FUNCTION channel_audit_head_guard();
            """
            )
        )
