from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

EXPIRING_DAYS = 90


class AuthorizationMatch(NamedTuple):
    """What the authorizations of a member say about one line; recordsets of ``channel.authorization``."""

    covering: models.BaseModel
    """Cover product, territory and date: the line is authorised when there is one."""
    elsewhere: models.BaseModel
    """Cover product and date, in another territory."""
    outdated: models.BaseModel
    """Cover product and territory, at another time."""


class ChannelAuthorization(models.Model):
    """What a member may sell, where, and when: products x territory x period.

    Territory: with ``customer_ids``, these end customers and no others; without, every end customer in ``region_ids``
    and below. What is excluded stays excluded. Somebody other than the author approves it; an approved
    authorization does not change, it is revoked and a new one takes its place.
    """

    _name = "channel.authorization"
    _description = "Authorization"
    _inherit = ["channel.approval.mixin", "portal.mixin"]
    _rec_name = "number"
    _rec_names_search = ["number", "partner_id.name"]
    _order = "date_from desc, id desc"
    _check_company_auto = True

    number = fields.Char(readonly=True, copy=False, index="trigram")
    partner_id = fields.Many2one(
        "res.partner",
        string="Member",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('channel_role', '!=', False)]",
        check_company=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, help="Company that authorises."
    )

    # Products
    all_products = fields.Boolean()
    product_ids = fields.Many2many(
        "product.product", "channel_authorization_product_rel", "authorization_id", "product_id", string="Products"
    )
    product_categ_ids = fields.Many2many(
        "product.category",
        "channel_authorization_product_category_rel",
        "authorization_id",
        "category_id",
        string="Product Categories",
    )
    device_category_ids = fields.Many2many(
        "channel.device.category",
        "channel_authorization_device_category_rel",
        "authorization_id",
        "category_id",
        string="Device Categories",
    )

    # Territory
    region_ids = fields.Many2many(
        "channel.region", "channel_authorization_region_rel", "authorization_id", "region_id", string="Regions"
    )
    customer_ids = fields.Many2many(
        "res.partner",
        "channel_authorization_customer_rel",
        "authorization_id",
        "partner_id",
        string="End Customers",
        domain="[('channel_role', '=', 'hospital')]",
        help="Only these hospitals; empty for every end customer in the regions.",
    )
    excluded_region_ids = fields.Many2many(
        "channel.region",
        "channel_authorization_excluded_region_rel",
        "authorization_id",
        "region_id",
        string="Excluded Regions",
    )
    excluded_customer_ids = fields.Many2many(
        "res.partner",
        "channel_authorization_excluded_customer_rel",
        "authorization_id",
        "partner_id",
        string="Excluded End Customers",
        domain="[('channel_role', '=', 'hospital')]",
    )
    exclusive = fields.Boolean(
        tracking=True,
        help="No other member is authorised for the same products, territory and time, except members above and below.",
    )

    # Period
    date_from = fields.Date(
        string="Valid From", required=True, default=fields.Date.context_today, tracking=True, help="First day in force."
    )
    date_to = fields.Date(
        string="Valid To", tracking=True, help="Last day in force; empty until it is revoked."
    )

    # Letter
    representative_id = fields.Many2one(
        "res.partner",
        domain="[('commercial_partner_id', '=', partner_id), ('is_company', '=', False)]",
        help="Person of the member who acts under the authorization; named in the letter.",
    )
    representative_identity = fields.Char(
        string="Representative's ID Number",
        groups="channel_base.group_channel_sales,channel_base.group_channel_compliance,"
        "channel_base.group_channel_contract",
        help="Number of the identity document, where the law asks for it in the letter.",
    )
    note = fields.Text(string="Further Terms")

    state = fields.Selection(selection_add=[("cancelled", "Revoked")])
    status = fields.Selection(
        [
            ("draft", "Draft"),
            ("future", "Not yet in force"),
            ("valid", "In force"),
            ("expiring", "Expiring"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_status",
        search="_search_status",
        help="As of today.",
    )
    revoked_on = fields.Date(readonly=True, copy=False, help="From this day on it is not in force.")
    revoke_reason = fields.Char(readonly=True, copy=False)

    _dates_order = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "An authorization cannot end before it begins."
    )
    _number_uniq = models.Constraint("unique(number)", "The number of an authorization must be unique.")
    _member_idx = models.Index("(partner_id, company_id, state)")

    #=== COMPUTE METHODS ===#

    def _compute_access_url(self):
        super()._compute_access_url()
        for authorization in self:
            authorization.access_url = f"/my/channel/authorizations/{authorization.id}"

    @api.depends("state", "date_from", "date_to")
    def _compute_status(self):
        today = fields.Date.context_today(self)
        soon = fields.Date.add(today, days=EXPIRING_DAYS)
        for authorization in self:
            date_to = authorization.date_to
            if authorization.state == "cancelled":
                authorization.status = "revoked"
            elif authorization.state != "approved":
                authorization.status = "draft"
            elif authorization.date_from > today:
                authorization.status = "future"
            elif date_to and date_to < today:
                authorization.status = "expired"
            elif date_to and date_to <= soon:
                authorization.status = "expiring"
            else:
                authorization.status = "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        soon = fields.Date.add(today, days=EXPIRING_DAYS)
        approved = Domain("state", "=", "approved")
        begun = approved & Domain("date_from", "<=", today)
        domains = {
            "draft": Domain("state", "=", "draft"),
            "revoked": Domain("state", "=", "cancelled"),
            "future": approved & Domain("date_from", ">", today),
            "expired": begun & Domain("date_to", "<", today),
            "expiring": begun & Domain("date_to", ">=", today) & Domain("date_to", "<=", soon),
            "valid": begun & (Domain("date_to", "=", False) | Domain("date_to", ">", soon)),
        }
        return Domain.OR(domains[status] for status in value if status in domains)

    #=== CONSTRAINT METHODS ===#

    @api.constrains("partner_id")
    def _check_partner_id(self):
        for authorization in self:
            if not authorization.partner_id.channel_role:
                raise ValidationError(self.env._(
                    "%s is not a member of the channel: give it a channel role first.",
                    authorization.partner_id.display_name,
                ))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: who may enter an authorization may use up a number of the sequence.
        sequence = self.env["ir.sequence"].sudo()
        vals_list = [
            {**vals, "number": vals.get("number") or sequence.next_by_code("channel.authorization")}
            for vals in vals_list
        ]
        return super().create(vals_list)

    def write(self, vals):
        if {"state", "revoked_on", "revoke_reason", "number"} & vals.keys() and not self.env.su:
            raise AccessError(self.env._(
                "Use Approve or Revoke: the state and the number of an authorization are not edited."
            ))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for authorization in self:
            if authorization.state != "draft":
                raise UserError(self.env._(
                    "Authorization %s has been approved and is kept as evidence: revoke it instead.",
                    authorization.number,
                ))

    #=== ACTION METHODS ===#

    def action_revoke(self, reason=None, date=None):
        """End approved authorizations before their time. Channel Manager or Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day that is not in force any more; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "revoke")
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Authorizations are revoked by Channel Manager or Compliance."))
        self.check_access("read")
        for authorization in self:
            if authorization.state != "approved":
                raise UserError(self.env._("Authorization %s is not approved.", authorization.number))
        date = fields.Date.to_date(date) or fields.Date.context_today(self)
        # sudo: the decision has been checked above; Compliance need not be allowed to edit authorizations.
        self.sudo().write({"state": "cancelled", "revoked_on": date, "revoke_reason": reason})
        self.env["channel.audit.entry"]._record(
            "authorization.revoked", self, reason=reason, before={"state": "approved"},
            after={"state": "cancelled", "revoked_on": date},
        )
        return True

    def action_print_letter(self):
        return self.env.ref("channel_member.channel_authorization_report").report_action(self)

    #=== APPROVAL ===#

    def _approval_terms(self):
        return [
            "partner_id", "company_id", "all_products", "product_ids", "product_categ_ids", "device_category_ids",
            "region_ids", "customer_ids", "excluded_region_ids", "excluded_customer_ids", "exclusive", "date_from",
            "date_to", "representative_id", "representative_identity", "note",
        ]

    def _approval_before(self):
        super()._approval_before()
        for authorization in self:
            if authorization.partner_id.channel_state == "terminated":
                raise UserError(self.env._("%s is terminated.", authorization.partner_id.display_name))
            if not (
                authorization.all_products
                or authorization.product_ids
                or authorization.product_categ_ids
                or authorization.device_category_ids
            ):
                raise UserError(self.env._(
                    "Authorization %s names no product: choose products or categories, or tick All Products.",
                    authorization.number,
                ))
            if not authorization.region_ids and not authorization.customer_ids:
                raise UserError(self.env._(
                    "Authorization %s names no territory: choose regions or end customers.", authorization.number
                ))
        self._check_exclusivity()

    def _approval_audit_values(self):
        return {
            authorization.id: {
                "number": authorization.number,
                "member": authorization.partner_id.channel_code or authorization.partner_id.name,
                "date_from": authorization.date_from,
                "date_to": authorization.date_to or None,
                "exclusive": authorization.exclusive,
                "all_products": authorization.all_products,
                "product_ids": sorted(authorization.product_ids.ids),
                "product_categ_ids": sorted(authorization.product_categ_ids.ids),
                "device_category_ids": sorted(authorization.device_category_ids.ids),
                "region_ids": sorted(authorization.region_ids.ids),
                "customer_ids": sorted(authorization.customer_ids.ids),
                "excluded_region_ids": sorted(authorization.excluded_region_ids.ids),
                "excluded_customer_ids": sorted(authorization.excluded_customer_ids.ids),
            }
            for authorization in self
        }

    #=== BUSINESS METHODS ===#

    @api.model
    def _match_lines(self, lines):
        """Compare lines with the authorizations of their members, in one query for any number of lines.

        :param lines: list of dicts ``{member_id, customer_id, product_id, date, company_id}``; ``member_id`` is a
            commercial partner, ``customer_id`` the end customer, or False when it is not known yet: then the
            territory is not judged
        :return: list of :class:`AuthorizationMatch`, one for each line, in the same order
        """
        # sudo: the gate judges by every authorization, whoever presses the button.
        authorizations = self.sudo()
        if not lines:
            return []
        self._flush_matched()
        rows = self.env.execute_query(SQL(
            """
            WITH line AS (
                SELECT *
                  FROM unnest(%(keys)s::int[], %(members)s::int[], %(customers)s::int[], %(products)s::int[],
                              %(dates)s::date[], %(companies)s::int[])
                    AS line(key, member_id, customer_id, product_id, date, company_id)
            )
            SELECT line.key, a.id, %(in_force)s AS in_force, (line.customer_id IS NULL OR %(territory)s) AS in_territory
              FROM line
              JOIN channel_authorization a
                ON a.partner_id = line.member_id AND a.company_id = line.company_id AND a.state != 'draft'
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
         LEFT JOIN res_partner customer ON customer.id = line.customer_id
         LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
         LEFT JOIN channel_region region ON region.id = COALESCE(customer.channel_region_id, company.channel_region_id)
             WHERE %(products_match)s
          ORDER BY line.key, a.date_from DESC, a.id DESC
            """,
            keys=list(range(len(lines))),
            members=[line["member_id"] for line in lines],
            customers=[line["customer_id"] or None for line in lines],
            products=[line["product_id"] for line in lines],
            dates=[line["date"] for line in lines],
            companies=[line["company_id"] for line in lines],
            in_force=self._in_force_sql(SQL("a"), SQL("line.date")),
            territory=self._territory_sql(SQL("a"), SQL("customer"), SQL("region")),
            products_match=self._products_sql(SQL("a"), SQL("product"), SQL("template")),
        ))
        found = defaultdict(lambda: ([], [], []))
        for key, authorization_id, in_force, in_territory in rows:
            if in_force and in_territory:
                found[key][0].append(authorization_id)
            elif in_force:
                found[key][1].append(authorization_id)
            elif in_territory:
                found[key][2].append(authorization_id)
        return [AuthorizationMatch(*map(authorizations.browse, found[key])) for key in range(len(lines))]

    def _check_exclusivity(self):
        """Refuse what an exclusive authorization of another member rules out, or what is exclusive and is not alone.

        Members above and below share: a sub-dealer sells in the exclusive territory of its dealer.
        """
        self._flush_matched()
        rows = self.env.execute_query(SQL(
            """
            WITH RECURSIVE above(id, ancestor_id) AS (
                SELECT id, channel_parent_id FROM res_partner WHERE channel_parent_id IS NOT NULL
                UNION
                SELECT above.id, partner.channel_parent_id
                  FROM above JOIN res_partner partner ON partner.id = above.ancestor_id
                 WHERE partner.channel_parent_id IS NOT NULL
            )
            SELECT a.id, other.id
              FROM channel_authorization a
              JOIN channel_authorization other
                ON other.company_id = a.company_id AND other.partner_id != a.partner_id AND other.state = 'approved'
               AND (other.exclusive OR a.exclusive)
               AND daterange(a.date_from, a.date_to, '[]') && daterange(other.date_from, other.date_to, '[]')
             WHERE a.id IN %(ids)s
               AND NOT EXISTS (
                    SELECT FROM above
                     WHERE above.id = a.partner_id AND above.ancestor_id = other.partner_id
                        OR above.id = other.partner_id AND above.ancestor_id = a.partner_id
               )
               AND EXISTS (
                    SELECT FROM product_product product
                      JOIN product_template template ON template.id = product.product_tmpl_id
                     WHERE product.active AND %(products_a)s AND %(products_other)s
               )
               AND (
                    EXISTS (
                        SELECT FROM res_partner customer
                          JOIN channel_region region ON region.id = customer.channel_region_id
                         WHERE customer.channel_role = 'hospital' AND %(territory_a)s AND %(territory_other)s
                    )
                    OR EXISTS (
                        SELECT FROM channel_region region
                     LEFT JOIN res_partner customer ON FALSE
                         WHERE %(territory_a)s AND %(territory_other)s
                    )
               )
            """,
            ids=tuple(self.ids),
            products_a=self._products_sql(SQL("a"), SQL("product"), SQL("template")),
            products_other=self._products_sql(SQL("other"), SQL("product"), SQL("template")),
            territory_a=self._territory_sql(SQL("a"), SQL("customer"), SQL("region")),
            territory_other=self._territory_sql(SQL("other"), SQL("customer"), SQL("region")),
        ))
        if rows:
            authorization, other = self.browse(rows[0][0]), self.browse(rows[0][1])
            raise UserError(self.env._(
                "%(number)s of %(member)s overlaps %(other)s of %(other_member)s in products, territory and time, and "
                "one of them is exclusive. Exclude the territory, or revoke the other one first.",
                number=authorization.number,
                member=authorization.partner_id.display_name,
                other=other.number,
                other_member=other.partner_id.display_name,
            ))

    #=== TOOLING ===#

    def _representative_identity(self):
        """The identity number for the letter, empty for users who may not read it."""
        self.ensure_one()
        field = self._fields["representative_identity"]
        return self._has_field_access(field, "read") and self.representative_identity or ""

    @api.model
    def _in_force_sql(self, authorization, date):
        """SQL condition: in force on a date, first and last day included; revoked ones until the day before."""
        return SQL(
            """(
                %(a)s.date_from <= %(date)s
                AND (%(a)s.date_to IS NULL OR %(a)s.date_to >= %(date)s)
                AND (%(a)s.state = 'approved' OR %(a)s.state = 'cancelled' AND %(a)s.revoked_on > %(date)s)
            )""",
            a=authorization,
            date=date,
        )

    @api.model
    def _products_sql(self, authorization, product, template):
        """SQL condition: an authorization names a product, by itself or by a category at or above its own."""
        return SQL(
            """(
                %(a)s.all_products
                OR EXISTS (
                    SELECT FROM channel_authorization_product_rel rel
                     WHERE rel.authorization_id = %(a)s.id AND rel.product_id = %(product)s.id
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_product_category_rel rel
                      JOIN product_category allowed ON allowed.id = rel.category_id
                      JOIN product_category own ON own.id = %(template)s.categ_id
                     WHERE rel.authorization_id = %(a)s.id AND own.parent_path LIKE allowed.parent_path || '%%'
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_device_category_rel rel
                      JOIN channel_device_category allowed ON allowed.id = rel.category_id
                      JOIN channel_device_category_product_template_rel own_rel
                        ON own_rel.product_tmpl_id = %(template)s.id
                      JOIN channel_device_category own ON own.id = own_rel.category_id
                     WHERE rel.authorization_id = %(a)s.id AND own.parent_path LIKE allowed.parent_path || '%%'
                )
            )""",
            a=authorization,
            product=product,
            template=template,
        )

    @api.model
    def _territory_sql(self, authorization, customer, region):
        """SQL condition: an end customer (and its region) lies in the territory of an authorization."""
        return SQL(
            """(
                CASE WHEN EXISTS (
                    SELECT FROM channel_authorization_customer_rel rel WHERE rel.authorization_id = %(a)s.id
                )
                THEN EXISTS (
                    SELECT FROM channel_authorization_customer_rel rel
                     WHERE rel.authorization_id = %(a)s.id
                       AND rel.partner_id IN (%(customer)s.id, %(customer)s.commercial_partner_id)
                )
                ELSE EXISTS (
                    SELECT FROM channel_authorization_region_rel rel
                      JOIN channel_region allowed ON allowed.id = rel.region_id
                     WHERE rel.authorization_id = %(a)s.id AND %(region)s.parent_path LIKE allowed.parent_path || '%%'
                )
                END
                AND NOT EXISTS (
                    SELECT FROM channel_authorization_excluded_region_rel rel
                      JOIN channel_region excluded ON excluded.id = rel.region_id
                     WHERE rel.authorization_id = %(a)s.id AND %(region)s.parent_path LIKE excluded.parent_path || '%%'
                )
                AND NOT EXISTS (
                    SELECT FROM channel_authorization_excluded_customer_rel rel
                     WHERE rel.authorization_id = %(a)s.id
                       AND rel.partner_id IN (%(customer)s.id, %(customer)s.commercial_partner_id)
                )
            )""",
            a=authorization,
            customer=customer,
            region=region,
        )

    @api.model
    def _flush_matched(self):
        """Write pending changes of all that the conditions read."""
        self.flush_model()
        self.env["res.partner"].flush_model(
            ["channel_region_id", "channel_role", "channel_parent_id", "commercial_partner_id"]
        )
        self.env["product.product"].flush_model(["product_tmpl_id", "active"])
        self.env["product.template"].flush_model(["categ_id", "channel_category_ids"])
        self.env["product.category"].flush_model(["parent_path"])
        self.env["channel.device.category"].flush_model(["parent_path"])
        self.env["channel.region"].flush_model(["parent_path"])
