from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

#: Who confirms which products a limited line means; a reading of the printed words, not a change of them.
READINGS = {"product_tmpl_ids"}


class ChannelQualificationScope(models.Model):
    """One item of the scope of business that a document prints: a class, a category, and what limits it.

    A product lies in the scope when one line covers it (see :meth:`_covers_sql`). Documents that print two catalogues
    side by side are read as alternatives: a product needs to be covered in one scheme in which it has a category.

    ``limitation`` keeps printed words that narrow a category to something no catalogue names ("hearing aids only",
    "except soft contact lenses"). A program does not guess what they mean: ``limit_kind`` says whether the named
    products alone are covered or all others, and somebody of Compliance names the products. Until then, a line with
    "only" covers nothing.
    """

    _name = "channel.qualification.scope"
    _description = "Scope Line of a Qualification"
    _order = "qualification_id, sequence, id"
    _rec_name = "source_text"

    qualification_id = fields.Many2one("channel.qualification", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="qualification_id.company_id")
    region_id = fields.Many2one(related="qualification_id.region_id")
    sequence = fields.Integer(default=10)
    device_class = fields.Selection(
        [("I", "Class I"), ("II", "Class II"), ("III", "Class III")], help="Empty for every class."
    )
    category_id = fields.Many2one(
        "channel.device.category",
        index=True,
        ondelete="restrict",
        help="With everything below it; empty for every category of the class.",
    )
    scheme = fields.Char(
        string="Catalogue",
        compute="_compute_scheme",
        store=True,
        readonly=False,
        help="Catalogue that the line is written in, for example cn_2017.",
    )
    excluded_category_ids = fields.Many2many(
        "channel.device.category",
        "channel_qualification_scope_excluded_rel",
        "scope_id",
        "category_id",
        string="Except Categories",
        help="Categories, with everything below them, that the line takes out.",
    )
    ivd = fields.Selection(
        [("with", "With IVD reagents"), ("without", "Without IVD reagents"), ("only", "IVD reagents only")],
        string="IVD Reagents",
        default="with",
        required=True,
    )
    limitation = fields.Char(help="Printed words that narrow the category and name no category themselves.")
    limit_kind = fields.Selection(
        [("only", "Only these products"), ("except", "All but these products")],
        string="Limited to",
        help="How the limitation is meant.",
    )
    product_tmpl_ids = fields.Many2many(
        "product.template",
        "channel_qualification_scope_product_rel",
        "scope_id",
        "product_tmpl_id",
        string="Products Meant",
        help="Products that the limitation means: Compliance names them, also after the document is verified.",
    )
    source_text = fields.Char(string="As Printed", help="The words of the document that this line was read from.")

    _limit_kind_given = models.Constraint(
        "CHECK(limitation IS NULL OR limitation = '' OR limit_kind IS NOT NULL)",
        "A limitation of the scope needs to say whether it means only certain products, or all but them.",
    )

    #=== COMPUTE METHODS ===#

    @api.depends("category_id")
    def _compute_scheme(self):
        for line in self:
            line.scheme = line.category_id.scheme or line.scheme

    @api.depends("device_class", "category_id", "ivd", "limitation", "limit_kind")
    def _compute_display_name(self):
        classes = dict(self._fields["device_class"]._description_selection(self.env))
        reagents = dict(self._fields["ivd"]._description_selection(self.env))
        kinds = dict(self._fields["limit_kind"]._description_selection(self.env))
        for line in self:
            parts = [
                classes.get(line.device_class),
                line.category_id.complete_name or self.env._("every category"),
                reagents[line.ivd] if line.ivd in ("without", "only") else None,
                f"{kinds[line.limit_kind]}: {line.limitation or ''}" if line.limit_kind else None,
            ]
            line.display_name = ", ".join(filter(None, parts))

    #=== CONSTRAINT METHODS ===#

    @api.constrains("qualification_id", "category_id", "scheme", "excluded_category_ids")
    def _check_scheme(self):
        for line in self:
            qualification_type = line.qualification_id.type_id
            if not qualification_type.has_scope:
                raise ValidationError(self.env._(
                    "%s has no scope of business: leave the scope empty.", qualification_type.name
                ))
            if line.category_id and line.scheme != line.category_id.scheme:
                raise ValidationError(self.env._(
                    "Catalogue %(scheme)s of the scope line does not hold category %(category)s, which is of "
                    "%(category_scheme)s.",
                    scheme=line.scheme or "",
                    category=line.category_id.complete_name,
                    category_scheme=line.category_id.scheme,
                ))
            schemes = qualification_type._scope_schemes()
            others = {scheme for scheme in (line.scheme, *line.excluded_category_ids.mapped("scheme")) if scheme}
            others -= schemes
            if schemes and others:
                raise ValidationError(self.env._(
                    "The scope of %(type)s is written in catalogue %(schemes)s, not in %(others)s.",
                    type=qualification_type.name,
                    schemes=", ".join(sorted(schemes)),
                    others=", ".join(sorted(others)),
                ))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # Superuser code may create a document and its lines in one go, decided already.
        if not self.env.su:
            lines._check_open()
        lines.qualification_id._scope_touched()
        return lines

    def write(self, vals):
        if vals.keys() <= READINGS:
            self.check_access("write")
            self._check_may_read()
            before = {line: sorted(line.product_tmpl_ids.ids) for line in self}
            result = super().write(vals)
            for line in self.filtered(lambda line: not line.qualification_id._is_open()):
                self.env["channel.audit.entry"]._record(
                    "qualification.scope_read", line.qualification_id, reason=line.display_name,
                    before={"products": before[line]}, after={"products": sorted(line.product_tmpl_ids.ids)},
                )
            return result
        self.check_access("write")
        self._check_open()
        result = super().write(vals)
        self._check_open()
        self.qualification_id._scope_touched()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        self._check_open()
        self.qualification_id._scope_touched()

    def _check_open(self):
        """Lines are terms of their document: they change with it, while it is a draft."""
        decided = self.qualification_id.filtered(lambda q: not q._is_open())
        if decided:
            raise UserError(self.env._(
                "%s has been decided on and its scope does not change. Enter a renewal as a new document, or set it "
                "back to draft to correct it.", decided[0].display_name,
            ))

    def _check_may_read(self):
        """Naming the products that a limitation means decides what is sold: for Compliance once it is verified."""
        decided = self.qualification_id.filtered(lambda q: not q._is_open())
        if decided and not self.env.su:
            decided._check_may_decide()

    #=== BUSINESS METHODS ===#

    @api.model
    def _covers_sql(self, line, template):
        """SQL condition: a scope line covers a product.

        :param SQL line: alias of ``channel_qualification_scope``
        :param SQL template: alias of ``product_template``
        """
        return SQL(
            """(
                (%(line)s.device_class IS NULL OR %(line)s.device_class = %(template)s.channel_device_class)
                AND CASE %(line)s.ivd
                    WHEN 'without' THEN NOT COALESCE(%(template)s.channel_is_ivd, FALSE)
                    WHEN 'only' THEN COALESCE(%(template)s.channel_is_ivd, FALSE)
                    ELSE TRUE
                END
                AND (
                    %(line)s.category_id IS NULL
                    OR EXISTS (
                        SELECT FROM channel_device_category allowed
                          JOIN channel_device_category_product_template_rel own_rel
                            ON own_rel.product_tmpl_id = %(template)s.id
                          JOIN channel_device_category own ON own.id = own_rel.category_id
                         WHERE allowed.id = %(line)s.category_id
                           AND own.parent_path LIKE allowed.parent_path || '%%'
                    )
                )
                AND NOT EXISTS (
                    SELECT FROM channel_qualification_scope_excluded_rel taken
                      JOIN channel_device_category excluded ON excluded.id = taken.category_id
                      JOIN channel_device_category_product_template_rel own_rel
                        ON own_rel.product_tmpl_id = %(template)s.id
                      JOIN channel_device_category own ON own.id = own_rel.category_id
                     WHERE taken.scope_id = %(line)s.id
                       AND own.parent_path LIKE excluded.parent_path || '%%'
                )
                AND CASE %(line)s.limit_kind
                    WHEN 'only' THEN EXISTS (
                        SELECT FROM channel_qualification_scope_product_rel meant
                         WHERE meant.scope_id = %(line)s.id AND meant.product_tmpl_id = %(template)s.id
                    )
                    WHEN 'except' THEN NOT EXISTS (
                        SELECT FROM channel_qualification_scope_product_rel meant
                         WHERE meant.scope_id = %(line)s.id AND meant.product_tmpl_id = %(template)s.id
                    )
                    ELSE TRUE
                END
            )""",
            line=line,
            template=template,
        )

    def _audit_values(self):
        """Plain values of the lines for the journal, in the order of the document."""
        return [
            {
                "class": line.device_class or None,
                "scheme": line.scheme or None,
                "code": line.category_id.code or None,
                "except": sorted(line.excluded_category_ids.mapped("code")),
                "ivd": line.ivd,
                "limit": [line.limit_kind, line.limitation or ""] if line.limit_kind else None,
            }
            for line in self
        ]
