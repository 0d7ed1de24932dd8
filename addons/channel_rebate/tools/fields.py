from odoo import fields


class LooseMany2one(fields.Many2one):
    """A many2one without foreign key, for derived rows that are written by the million."""

    def update_db_foreign_key(self, model, column):
        """The database does not check the reference: whoever writes the rows answers for it."""
