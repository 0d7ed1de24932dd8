from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command


class ChannelRebateTemplate(models.Model):
    """The terms of a usual programme, to begin a version with. What it makes is a draft like any other."""

    _name = "channel.rebate.template"
    _description = "Programme Template"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True, help="What it pays, with an example.")
    to_fill_in = fields.Text(
        string="To Be Filled in", translate=True, help="What has to be entered before a version can be approved."
    )
    purpose = fields.Selection(
        [("rebate", "Rebate"), ("commission", "Commission")], required=True, default="rebate"
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    terms = fields.Json(
        default=dict, help="Terms of the version that differ from the default: {name of the field: value}."
    )
    tiers = fields.Json(
        default=list, help="Tiers: [[from, rate], ...]; amounts are examples, in the programme's currency."
    )
    collections = fields.Json(default=list, help="Factors by days to pay: [[days, factor in %], ...].")

    @api.constrains("terms", "tiers", "collections")
    def _check_terms(self):
        Version = self.env["channel.rebate.program.version"]
        for template in self:
            unknown = set(template.terms or {}) - set(Version._version_terms())
            if unknown:
                raise ValidationError(self.env._(
                    "Terms of %(template)s: a version has no term %(names)s.",
                    template=template.name, names=", ".join(sorted(unknown)),
                ))
            for rows, label in ((template.tiers, "tiers"), (template.collections, "collections")):
                if not all(isinstance(row, list) and len(row) == 2 for row in rows or []):
                    raise ValidationError(self.env._(
                        "%(label)s of %(template)s: expected a list of pairs of numbers.",
                        label=label, template=template.name,
                    ))

    def _make_version(self, program, valid_from):
        """Make a draft version of a programme with these terms.

        :return: ``channel.rebate.program.version``
        :raise UserError: when the template is for commissions and the programme for rebates, or the other way round
        """
        self.ensure_one()
        if self.purpose != program.purpose:
            raise UserError(self.env._(
                "Template %(template)s is for another purpose than programme %(program)s. Choose one for a "
                "%(purpose)s.",
                template=self.name, program=program.display_name,
                purpose=dict(program._fields["purpose"]._description_selection(self.env))[program.purpose].lower(),
            ))
        return self.env["channel.rebate.program.version"].create({
            "program_id": program.id,
            "valid_from": valid_from,
            **(self.terms or {}),
            "tier_ids": [Command.create({"lower_bound": lower, "rate": rate}) for lower, rate in self.tiers or []],
            "collection_ids": [
                Command.create({"days": days, "factor": factor}) for days, factor in self.collections or []
            ],
        })
