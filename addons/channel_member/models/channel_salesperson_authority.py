from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL


class ChannelSalespersonAuthority(models.Model):
    """The written authority of an own salesperson: products x regions x period (in China GSP art. 78, 授权书).

    Somebody else approves it; an approved one does not change, it is revoked and a new one takes its place. The gate
    asks for it where the company has switched that on.
    """

    _name = "channel.salesperson.authority"
    _description = "Salesperson's Authority"
    _inherit = ["channel.approval.mixin"]
    _rec_name = "number"
    _rec_names_search = ["number", "user_id.name"]
    _order = "date_from desc, id desc"

    number = fields.Char(readonly=True, copy=False, index="trigram")
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    identity_number = fields.Char(
        groups="channel_base.group_channel_manager,channel_base.group_channel_compliance",
        help="Number of the identity document, as stated in the authority.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, help="Company that authorises."
    )
    all_products = fields.Boolean()
    product_categ_ids = fields.Many2many(
        "product.category",
        "channel_salesperson_authority_product_category_rel",
        "authority_id",
        "category_id",
        string="Product Categories",
    )
    region_ids = fields.Many2many(
        "channel.region",
        "channel_salesperson_authority_region_rel",
        "authority_id",
        "region_id",
        string="Regions",
        help="Empty: everywhere.",
    )
    date_from = fields.Date(string="Valid From", required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(string="Valid To", tracking=True, help="Last day in force; empty until it is revoked.")
    document = fields.Binary(attachment=True, help="The stamped authority.")
    document_name = fields.Char()
    state = fields.Selection(selection_add=[("cancelled", "Revoked")])
    revoked_on = fields.Date(readonly=True, copy=False, help="From this day on it is not in force.")

    _dates_order = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "An authority cannot end before it begins."
    )
    _number_uniq = models.Constraint("unique(number)", "The number of an authority must be unique.")

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: who may enter an authority may use up a number of the sequence.
        sequence = self.env["ir.sequence"].sudo()
        return super().create([
            {**vals, "number": vals.get("number") or sequence.next_by_code("channel.salesperson.authority")}
            for vals in vals_list
        ])

    def write(self, vals):
        if {"state", "revoked_on", "number"} & vals.keys() and not self.env.su:
            raise AccessError(self.env._(
                "Use Approve or Revoke: the state and the number of an authority are not edited."
            ))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for authority in self:
            if authority.state != "draft":
                raise UserError(self.env._(
                    "Authority %s has been approved and is kept as evidence: revoke it instead.", authority.number
                ))

    #=== ACTION METHODS ===#

    def action_revoke(self):
        """End approved authorities from today on, where the company is. Channel Manager or Compliance."""
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Authorities are revoked by Channel Manager or Compliance."))
        self.check_access("read")
        for authority in self:
            if authority.state != "approved":
                raise UserError(self.env._("Authority %s is not approved.", authority.number))
        # sudo: the decision has been checked above.
        for company, authorities in self.sudo().grouped("company_id").items():
            today = company._channel_today()
            authorities.write({"state": "cancelled", "revoked_on": today})
            self.env["channel.audit.entry"]._record(
                "salesperson_authority.revoked", authorities, before={"state": "approved"},
                after={"state": "cancelled", "revoked_on": today},
            )
        return True

    #=== APPROVAL ===#

    def _approval_terms(self):
        return [
            "user_id", "identity_number", "company_id", "all_products", "product_categ_ids", "region_ids", "date_from",
            "date_to", "document",
        ]

    def _approval_before(self):
        super()._approval_before()
        for authority in self:
            if not authority.all_products and not authority.product_categ_ids:
                raise UserError(self.env._(
                    "Authority %s names no product: choose categories, or tick All Products.", authority.number
                ))
            if self.env.user == authority.user_id:
                raise UserError(self.env._("Nobody approves the own authority: %s.", authority.number))

    def _approval_audit_values(self):
        return {
            authority.id: {
                "number": authority.number,
                "salesperson": authority.user_id.login,
                "date_from": authority.date_from,
                "date_to": authority.date_to or None,
                "all_products": authority.all_products,
                "product_categ_ids": sorted(authority.product_categ_ids.ids),
                "region_ids": sorted(authority.region_ids.ids),
            }
            for authority in self
        }

    #=== BUSINESS METHODS ===#

    @api.model
    def _unauthorised(self, lines):
        """Tell for which lines the salesperson holds no authority, in one query for any number of lines.

        :param lines: list of dicts ``{user_id, customer_id, product_id, date, company_id}``; without a customer the
            region is not judged
        :return: set of positions in ``lines``
        """
        if not lines:
            return set()
        self.flush_model()
        self.env["channel.authorization"]._flush_matched()
        rows = self.env.execute_query(SQL(
            """
            SELECT line.key
              FROM unnest(%(keys)s::int[], %(users)s::int[], %(customers)s::int[], %(products)s::int[],
                          %(dates)s::date[], %(companies)s::int[])
                AS line(key, user_id, customer_id, product_id, date, company_id)
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
         LEFT JOIN product_category own ON own.id = template.categ_id
         LEFT JOIN res_partner customer ON customer.id = line.customer_id
         LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
         LEFT JOIN channel_region region ON region.id = COALESCE(customer.channel_region_id, company.channel_region_id)
             WHERE NOT EXISTS (
                SELECT FROM channel_salesperson_authority a
                 WHERE a.user_id = line.user_id AND a.company_id = line.company_id
                   AND a.date_from <= line.date AND (a.date_to IS NULL OR a.date_to >= line.date)
                   AND (a.state = 'approved' OR a.state = 'cancelled' AND a.revoked_on > line.date)
                   AND (a.all_products OR EXISTS (
                        SELECT FROM channel_salesperson_authority_product_category_rel rel
                          JOIN product_category allowed ON allowed.id = rel.category_id
                         WHERE rel.authority_id = a.id AND own.parent_path LIKE allowed.parent_path || '%%'
                   ))
                   AND (
                        line.customer_id IS NULL
                        OR NOT EXISTS (
                            SELECT FROM channel_salesperson_authority_region_rel rel WHERE rel.authority_id = a.id
                        )
                        OR EXISTS (
                            SELECT FROM channel_salesperson_authority_region_rel rel
                              JOIN channel_region allowed ON allowed.id = rel.region_id
                             WHERE rel.authority_id = a.id AND region.parent_path LIKE allowed.parent_path || '%%'
                        )
                   )
             )
            """,
            keys=list(range(len(lines))),
            users=[line["user_id"] for line in lines],
            customers=[line["customer_id"] or None for line in lines],
            products=[line["product_id"] for line in lines],
            dates=[line["date"] for line in lines],
            companies=[line["company_id"] for line in lines],
        ))
        return {key for key, in rows}
