from odoo import fields, models


class ChannelHospitalGrade(models.Model):
    """Grade that a country's health authority gives to a hospital.

    A country's grades are data of its ``channel_l10n_XX``. ``level`` and ``grade_class`` are
    separate because segments and prices often ask for one without the other.
    """

    _name = "channel.hospital.grade"
    _description = "Hospital Grade"
    _order = "country_id, sequence, level desc, grade_class, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Unique in a country; used by imports and segments.")
    level = fields.Integer(help="The higher, the larger the duties of the hospital; 0 for ungraded.")
    grade_class = fields.Char(string="Class", help="Subdivision of the level, for example A, B or C.")
    country_id = fields.Many2one("res.country")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex(
        "(COALESCE(country_id, 0), code)",
        "The code of a hospital grade must be unique in its country.",
    )
