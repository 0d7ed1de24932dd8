import secrets
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.tools.domain import check_domain, read_domain

from ..tools.qr import qr_image

EXPIRING_DAYS = 90

#: How many conflicts the form of a draft lists; the rest is in the list that its button opens.
CONFLICTS_SHOWN = 20

#: How many characters of an identity number are shown outside the printed letter.
IDENTITY_SHOWN = 4


class AuthorizationMatch(NamedTuple):
    """What the authorizations of a member say about one line; recordsets of ``channel.authorization``."""

    covering: models.BaseModel
    """Cover product, territory and date, and everybody above is covered too: authorised when there is one."""
    elsewhere: models.BaseModel
    """Cover product and date, in another territory."""
    outdated: models.BaseModel
    """Cover product and territory, at another time."""
    unsupported: models.BaseModel
    """Cover product, territory and date, but the member above is not authorised for it (any more)."""
    above: models.BaseModel
    """That member above (``res.partner``), the nearest one; empty when there is nothing in ``unsupported``."""


class ChannelAuthorization(models.Model):
    """What a member may sell, where, and when: products x territory x period.

    Territory: with ``customer_ids``, these end customers and no others; without, every end customer in ``region_ids``
    and below. What is excluded stays excluded. Somebody other than the author approves it; an approved
    authorization does not change, it is revoked and a new one takes its place.

    Members below: what a member with a parent member holds counts only as far as the parent is authorised itself, on
    the day in question and by the hierarchy of that day. So a revocation above takes effect below at once, nothing is
    revoked in the member's own record, and what was sold before stays authorised.
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

    registration_ids = fields.Many2many(
        "channel.registration",
        "channel_authorization_registration_rel",
        "authorization_id",
        "registration_id",
        string="Registration Certificates",
        domain="[('state', '!=', 'draft')]",
        help="The products of these certificates; of a renewal too, which keeps the number.",
    )
    product_domain = fields.Char(
        string="Product Filter",
        help="Chooses products to add to the list. The letter states the products that were chosen: products that "
        "match later are not authorised by it.",
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
    representative_identity_hint = fields.Char(
        string="Representative's ID",
        compute="_compute_representative_identity_hint",
        groups="channel_base.group_channel_sales,channel_base.group_channel_compliance,"
        "channel_base.group_channel_contract",
        help="The last characters; the whole number is printed in the letter only.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="Own salesperson in charge. Orders under this authorization are then taken by this person only; empty "
        "when anybody may.",
    )
    verification_token = fields.Char(
        compute="_compute_verification_token",
        store=True,
        copy=False,
        groups="base.group_system",
        help="Secret part of the address at which anybody who holds the letter can check that it is valid.",
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

    # Conflicts
    conflict_level = fields.Selection(
        [("block", "Blocking"), ("warn", "Warning")],
        compute="_compute_conflicts",
        help="What stands against the approval of the draft as it was saved last.",
    )
    conflict_html = fields.Html(string="Conflicts", compute="_compute_conflicts", sanitize=False)

    _dates_order = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "An authorization cannot end before it begins."
    )
    _number_uniq = models.Constraint("unique(number)", "The number of an authorization must be unique.")
    _member_idx = models.Index("(partner_id, company_id, state)")
    _verification_token_uniq = models.UniqueIndex("(verification_token)", "The verification token must be unique.")

    #=== COMPUTE METHODS ===#

    def _compute_access_url(self):
        super()._compute_access_url()
        for authorization in self:
            authorization.access_url = f"/my/channel/authorizations/{authorization.id}"

    @api.depends("state", "date_from", "date_to", "revoked_on", "company_id")
    def _compute_status(self):
        for authorization in self:
            today = authorization.company_id._channel_today() if authorization.company_id else fields.Date.today()
            authorization.status = authorization._status_on(today)

    def _status_on(self, date):
        """What the calendar makes of an authorization on a date: a value of :attr:`status`."""
        self.ensure_one()
        ends = [self.date_to] if self.date_to else []
        if self.state == "cancelled":
            if not self.revoked_on or self.revoked_on <= date:
                return "revoked"
            ends.append(fields.Date.subtract(self.revoked_on, days=1))
        elif self.state != "approved":
            return "draft"
        if self.date_from > date:
            return "future"
        if ends and min(ends) < date:
            return "expired"
        if ends and min(ends) <= fields.Date.add(date, days=EXPIRING_DAYS):
            return "expiring"
        return "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: the time zones of all companies; which documents are found remains a matter of the rules.
        # pylint: disable-next=no-search-all  # companies of the database
        days = self.env["res.company"].sudo().search([]).grouped(lambda company: company._channel_today())
        return Domain.OR(
            Domain("company_id", "in", companies.ids) & self._status_domain(value, today)
            for today, companies in days.items()
        )

    @api.model
    def _status_domain(self, statuses, today):
        """Domain of the documents with one of these statuses on a date."""
        soon = fields.Date.add(today, days=EXPIRING_DAYS)
        revoked_later = Domain("state", "=", "cancelled") & Domain("revoked_on", ">", today)
        running = Domain("state", "=", "approved") | revoked_later
        begun = running & Domain("date_from", "<=", today)
        later = (Domain("date_to", "=", False) | Domain("date_to", ">", soon)) & (
            Domain("revoked_on", "=", False) | Domain("revoked_on", ">", fields.Date.add(soon, days=1))
        )
        ended = Domain("date_to", "<", today) & Domain("date_to", "!=", False)
        domains = {
            "draft": Domain("state", "=", "draft"),
            "revoked": Domain("state", "=", "cancelled")
            & (Domain("revoked_on", "=", False) | Domain("revoked_on", "<=", today)),
            "future": running & Domain("date_from", ">", today),
            "expired": begun & ended,
            "expiring": begun & ~ended & ~later,
            "valid": begun & later,
        }
        return Domain.OR(domains[status] for status in statuses if status in domains)

    @api.depends("representative_identity")
    def _compute_representative_identity_hint(self):
        for authorization in self:
            number = authorization.representative_identity or ""
            authorization.representative_identity_hint = (
                f"…{number[-IDENTITY_SHOWN:]}" if len(number) > IDENTITY_SHOWN else number and "…"
            )

    @api.depends("number")
    def _compute_verification_token(self):
        # Stored: computed once for each record, also for those of an earlier version, and kept.
        for authorization in self:
            authorization.verification_token = authorization.verification_token or secrets.token_urlsafe(32)

    @api.depends("state")
    @api.depends_context("uid", "lang")
    def _compute_conflicts(self):
        drafts = self.filtered(lambda a: a.state == "draft" and a._origin)
        conflicts = defaultdict(list)
        for conflict in self.env["channel.authorization.conflict"]._find(drafts._origin):
            conflicts[conflict.authorization].append(conflict)
        for authorization in self:
            found = conflicts[authorization._origin]
            levels = {conflict.severity for conflict in found}
            authorization.conflict_level = "block" if "block" in levels else "warn" if levels else False
            authorization.conflict_html = found and self.env["ir.qweb"]._render(
                "channel_member.authorization_conflicts",
                {
                    "sentences": [
                        (conflict.severity, sentence)
                        for conflict, sentence in zip(
                            found[:CONFLICTS_SHOWN],
                            self.env["channel.authorization.conflict"]._sentences(found[:CONFLICTS_SHOWN]),
                            strict=True,
                        )
                    ],
                    "more": max(0, len(found) - CONFLICTS_SHOWN),
                },
            )

    #=== CONSTRAINT METHODS ===#

    @api.constrains("partner_id")
    def _check_partner_id(self):
        for authorization in self:
            if not authorization.partner_id.channel_role:
                raise ValidationError(self.env._(
                    "%s is not a member of the channel: give it a channel role first.",
                    authorization.partner_id.display_name,
                ))

    @api.constrains("product_domain")
    def _check_product_domain(self):
        label = self._fields["product_domain"]._description_string(self.env)
        for text in filter(None, self.mapped("product_domain")):
            check_domain(self.env["product.product"], text, label)

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
        :param date: first day that is not in force any more; today in the company's time zone when not given, so that
            documents of today are refused at once and those of yesterday stay authorised
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "revoke")
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Authorizations are revoked by Channel Manager or Compliance."))
        self.check_access("read")
        for authorization in self:
            if authorization.state != "approved":
                raise UserError(self.env._("Authorization %s is not approved.", authorization.number))
        date = fields.Date.to_date(date)
        # sudo: the decision has been checked above; Compliance need not be allowed to edit authorizations.
        for company, authorizations in self.sudo().grouped("company_id").items():
            first_day = date or company._channel_today()
            authorizations.write({"state": "cancelled", "revoked_on": first_day, "revoke_reason": reason})
            self.env["channel.audit.entry"]._record(
                "authorization.revoked", authorizations, reason=reason, before={"state": "approved"},
                after={"state": "cancelled", "revoked_on": first_day},
            )
        return True

    def action_add_products(self):
        """Add the products that the filter finds now to the list of a draft.

        :raise UserError: no filter, or nothing found
        """
        for authorization in self:
            domain = authorization.product_domain and read_domain(authorization.product_domain)
            products = self.env["product.product"].search(domain) if domain else self.env["product.product"]
            if not products:
                raise UserError(self.env._(
                    "Product Filter of %s finds no product: choose conditions first.", authorization.number
                ))
            authorization.product_ids |= products
        return True

    def action_show_conflicts(self):
        """Find the conflicts of any number of authorizations, drafts among themselves too, and list them."""
        self.check_access("read")
        return self.env["channel.authorization.conflict"]._open(self)

    def action_print_letter(self):
        return self.env.ref("channel_member.channel_authorization_report").report_action(self)

    #=== APPROVAL ===#

    def _approval_terms(self):
        return [
            "partner_id", "company_id", "all_products", "product_ids", "product_categ_ids", "device_category_ids",
            "registration_ids", "product_domain", "region_ids", "customer_ids", "excluded_region_ids",
            "excluded_customer_ids", "exclusive", "date_from", "date_to", "representative_id",
            "representative_identity", "user_id", "note",
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
                or authorization.registration_ids
            ):
                raise UserError(self.env._(
                    "Authorization %s names no product: choose products, categories or certificates, or tick All "
                    "Products.",
                    authorization.number,
                ))
            if not authorization.region_ids and not authorization.customer_ids:
                raise UserError(self.env._(
                    "Authorization %s names no territory: choose regions or end customers.", authorization.number
                ))
        self.env["channel.authorization.conflict"]._check(self)

    def _approval_audit_values(self):
        return {
            authorization.id: {
                "number": authorization.number,
                "member": authorization.partner_id.channel_code or authorization.partner_id.name,
                "date_from": authorization.date_from,
                "date_to": authorization.date_to or None,
                "salesperson": authorization.user_id.login or None,
                "exclusive": authorization.exclusive,
                "all_products": authorization.all_products,
                "product_ids": sorted(authorization.product_ids.ids),
                "product_categ_ids": sorted(authorization.product_categ_ids.ids),
                "device_category_ids": sorted(authorization.device_category_ids.ids),
                "registrations": sorted(authorization.registration_ids.mapped("number")),
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

        What a member holds below another counts only where the members above it that limit it (see
        :meth:`_limits_sql`) hold it too, on the line's date and by the hierarchy of that date.

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
            WITH RECURSIVE line AS (
                SELECT *
                  FROM unnest(%(keys)s::int[], %(members)s::int[], %(customers)s::int[], %(products)s::int[],
                              %(dates)s::date[], %(companies)s::int[])
                    AS line(key, member_id, customer_id, product_id, date, company_id)
            ),
            above AS (
                SELECT DISTINCT member_id, date, company_id, member_id AS holder_id, ARRAY[member_id] AS path FROM line
                 UNION ALL
                SELECT above.member_id, above.date, above.company_id, parent.id, above.path || parent.id
                  FROM above
            CROSS JOIN LATERAL %(parent)s AS parent
                 WHERE parent.id IS NOT NULL AND NOT parent.id = ANY(above.path)
            ),
            holder AS (
                SELECT above.member_id, above.date, above.company_id, above.holder_id,
                       cardinality(above.path) - 1 AS depth
                  FROM above
                  JOIN res_partner member ON member.id = above.holder_id
                  JOIN res_company issuer ON issuer.id = above.company_id
                 WHERE above.holder_id = above.member_id OR %(limits)s
            )
            SELECT line.key, holder.depth, holder.holder_id, a.id, a.in_force, a.in_territory
              FROM line
              JOIN holder
                ON holder.member_id = line.member_id AND holder.date = line.date
               AND holder.company_id = line.company_id
         LEFT JOIN LATERAL (
                SELECT a.id, a.date_from, %(in_force)s AS in_force,
                       (line.customer_id IS NULL OR %(territory)s) AS in_territory
                  FROM channel_authorization a
                  JOIN product_product product ON product.id = line.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
             LEFT JOIN res_partner customer ON customer.id = line.customer_id
             LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
             LEFT JOIN channel_region region
                    ON region.id = COALESCE(customer.channel_region_id, company.channel_region_id)
                 WHERE a.partner_id = holder.holder_id AND a.company_id = line.company_id AND a.state != 'draft'
                   AND %(products_match)s
                ) a ON TRUE
          ORDER BY line.key, holder.depth, a.date_from DESC, a.id DESC
            """,
            keys=list(range(len(lines))),
            members=[line["member_id"] for line in lines],
            customers=[line["customer_id"] or None for line in lines],
            products=[line["product_id"] for line in lines],
            dates=[line["date"] for line in lines],
            companies=[line["company_id"] for line in lines],
            parent=self._parent_sql(SQL("above.holder_id"), SQL("above.date")),
            limits=self._limits_sql(SQL("member"), SQL("issuer")),
            in_force=self._in_force_sql(SQL("a"), SQL("line.date")),
            territory=self._territory_sql(SQL("a"), SQL("customer"), SQL("region")),
            products_match=self._products_sql(SQL("a"), SQL("product"), SQL("template")),
        ))
        found = defaultdict(lambda: ([], [], []))
        holders = defaultdict(dict)
        for key, depth, holder_id, authorization_id, in_force, in_territory in rows:
            covers = bool(authorization_id) and in_force and in_territory
            if depth:
                holders[key][holder_id] = holders[key].get(holder_id) or covers
            elif covers:
                found[key][0].append(authorization_id)
            elif in_force:
                found[key][1].append(authorization_id)
            elif in_territory:
                found[key][2].append(authorization_id)
        matches = []
        for key in range(len(lines)):
            covering, elsewhere, outdated = map(authorizations.browse, found[key])
            # In the order of the rows: the nearest first.
            missing = [holder_id for holder_id, covers in holders[key].items() if covering and not covers]
            above = self.env["res.partner"].sudo().browse(missing[:1])
            none = authorizations.browse()
            matches.append(AuthorizationMatch(
                none if above else covering, elsewhere, outdated, covering if above else none, above
            ))
        return matches

    #=== TOOLING ===#

    def _representative_identity(self, printed=True):
        """The identity number for the letter, empty for users who may not read it.

        :param bool printed: whole in the printed letter, its last characters on a screen
        """
        self.ensure_one()
        field = self._fields["representative_identity"]
        if not self._has_field_access(field, "read"):
            return ""
        return (self.representative_identity if printed else self.representative_identity_hint) or ""

    def _letter_products(self):
        """The products that the letter lists by name: those named, and those of the certificates named."""
        self.ensure_one()
        if self.all_products:
            return self.env["product.product"]
        # sudo: the list of products is part of the letter, whoever may read it.
        letter = self.sudo()
        issues = letter.registration_ids.search([("number", "in", letter.registration_ids.mapped("number"))])
        return (letter.product_ids | issues.product_tmpl_ids.product_variant_ids).sorted(
            lambda product: (product.default_code or "", product.id)
        )

    def _verification_url(self):
        """Address of the public page that tells whether the letter is valid."""
        self.ensure_one()
        # sudo: the token is for whoever holds the letter, and this is the letter.
        return f"{self.get_base_url()}/channel/verify/{self.sudo().verification_token}"

    def _verification_qr(self):
        """The address of :meth:`_verification_url` as a QR code: the ``src`` of an image."""
        return qr_image(self._verification_url())

    @api.model
    def _verify(self, token):
        """What the public page says about a letter.

        :param str token: from the address
        :return: None when there is no such letter, else a dict of ``number``, ``company``, ``member``, ``date_from``,
            ``date_to`` (None: until revoked), ``date`` (today where the company is) and ``status``: ``valid``,
            ``future``, ``expired``, ``revoked``, or ``suspended`` when the member is not active, or the member above
            is not authorised for all of it any more
        """
        # sudo: whoever holds the letter may ask; the token is the key, and only what the letter says on top is told.
        authorization = self.sudo().search([("verification_token", "=", token), ("state", "!=", "draft")], limit=1)
        if not token or not authorization:
            return None
        today = authorization.company_id._channel_today()
        status = authorization._status_on(today)
        status = "valid" if status == "expiring" else status
        if status == "valid" and (
            authorization.partner_id.channel_state != "active"
            or self.env["channel.authorization.conflict"]._find_exceeding(authorization, date=today)
        ):
            status = "suspended"
        date_to = authorization.date_to
        if authorization.state == "cancelled":
            last_day = fields.Date.subtract(authorization.revoked_on, days=1)
            date_to = min(date_to or last_day, last_day)
        return {
            "number": authorization.number,
            "company": authorization.company_id.name,
            "member": authorization.partner_id.name,
            "date_from": authorization.date_from,
            "date_to": date_to or None,
            "date": today,
            "status": status,
        }

    @api.model
    def _parent_sql(self, member, date):
        """SQL relation with one column ``id``: the member above a member on a date.

        From the member's dated history; for days before it begins, the member above today.
        """
        return SQL(
            """(
                SELECT CASE WHEN past.id IS NULL THEN partner.channel_parent_id ELSE past.parent_id END AS id
                  FROM res_partner partner
             LEFT JOIN LATERAL %(as_of)s AS past ON TRUE
                 WHERE partner.id = %(member)s
            )""",
            as_of=self.env["channel.member.period"]._as_of_sql(SQL("partner.id"), date),
            member=member,
        )

    @api.model
    def _limits_sql(self, member, company):
        """SQL condition: members below this one may not sell more than it is authorised for itself.

        The manufacturer, the importer and the company itself stand at the top and need no authorization, nor does who
        does not trade. Agents and platforms limit where the company says so.
        """
        return SQL(
            """(
                %(member)s.id != %(company)s.partner_id
                AND (
                    %(member)s.channel_role IN ('distributor', 'sub_distributor')
                    OR %(member)s.channel_role = 'agent' AND %(company)s.channel_agent_limits IS NOT FALSE
                    OR %(member)s.channel_role = 'platform' AND %(company)s.channel_platform_limits IS NOT FALSE
                )
            )""",
            member=member,
            company=company,
        )

    @api.model
    def _period_sql(self, authorization, pending=False):
        """SQL expression, a ``daterange``: the days on which an authorization is in force, ``infinity`` when open.

        Agrees with :meth:`_in_force_sql` for what has been approved, and for drafts says when they would be.

        :param bool pending: count also days that wait for another decision, as conflicts do
        """
        return SQL(
            """daterange(%(a)s.date_from, GREATEST(%(a)s.date_from, COALESCE(
                LEAST(%(a)s.date_to + 1, CASE WHEN %(a)s.state = 'cancelled' THEN %(a)s.revoked_on END), 'infinity'
            )), '[)')""",
            a=authorization,
        )

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
        """SQL condition: an authorization names a product: by itself, by a category at or above its own, or by the
        number of a registration certificate of it."""
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
                OR EXISTS (
                    SELECT FROM channel_authorization_registration_rel rel
                      JOIN channel_registration named ON named.id = rel.registration_id
                      JOIN channel_registration issue ON issue.number = named.number
                      JOIN channel_registration_product_template_rel own_rel
                        ON own_rel.registration_id = issue.id AND own_rel.product_tmpl_id = %(template)s.id
                     WHERE rel.authorization_id = %(a)s.id
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
                AND NOT %(excluded)s
            )""",
            a=authorization,
            customer=customer,
            region=region,
            excluded=self._excluded_sql(authorization, customer, region),
        )

    @api.model
    def _excluded_sql(self, authorization, customer, region):
        """SQL condition: an end customer, or its region, is excluded from an authorization."""
        return SQL(
            """(
                EXISTS (
                    SELECT FROM channel_authorization_excluded_region_rel rel
                      JOIN channel_region excluded ON excluded.id = rel.region_id
                     WHERE rel.authorization_id = %(a)s.id AND %(region)s.parent_path LIKE excluded.parent_path || '%%'
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_excluded_customer_rel rel
                     WHERE rel.authorization_id = %(a)s.id
                       AND rel.partner_id IN (%(customer)s.id, %(customer)s.commercial_partner_id)
                )
            )""",
            a=authorization,
            customer=customer,
            region=region,
        )

    # For the comparison of authorizations with each other: relations about those in ``ask`` that are joined on, so that
    # the products are not searched again for each pair.

    @api.model
    def _ask_products_sql(self):
        """SQL relations: the products of the authorizations in ``ask``, and all that another one may name to meet them.

        ``ask_product(id, product_id, template_id, categ_id)`` without those of authorizations for all products;
        ``ask_category(id, category_id)`` and ``ask_device_category(id, category_id)``: the categories above the
        products, and above and below the categories named; ``ask_registration(id, number)``.
        """
        return SQL(
            """
            ask_product AS MATERIALIZED (
                SELECT ask.id, product.id AS product_id, template.id AS template_id, template.categ_id
                  FROM ask
                  JOIN channel_authorization_product_rel rel ON rel.authorization_id = ask.id
                  JOIN product_product product ON product.id = rel.product_id AND product.active
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE ask.all_products IS NOT TRUE
                 UNION
                SELECT ask.id, product.id, template.id, template.categ_id
                  FROM ask
                  JOIN channel_authorization_product_category_rel rel ON rel.authorization_id = ask.id
                  JOIN product_category named ON named.id = rel.category_id
                  JOIN product_category own ON own.parent_path LIKE named.parent_path || '%%'
                  JOIN product_template template ON template.categ_id = own.id
                  JOIN product_product product ON product.product_tmpl_id = template.id AND product.active
                 WHERE ask.all_products IS NOT TRUE
                 UNION
                SELECT ask.id, product.id, template.id, template.categ_id
                  FROM ask
                  JOIN channel_authorization_device_category_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_device_category named ON named.id = rel.category_id
                  JOIN channel_device_category own ON own.parent_path LIKE named.parent_path || '%%'
                  JOIN channel_device_category_product_template_rel own_rel ON own_rel.category_id = own.id
                  JOIN product_template template ON template.id = own_rel.product_tmpl_id
                  JOIN product_product product ON product.product_tmpl_id = template.id AND product.active
                 WHERE ask.all_products IS NOT TRUE
                 UNION
                SELECT ask.id, product.id, template.id, template.categ_id
                  FROM ask
                  JOIN channel_authorization_registration_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_registration named ON named.id = rel.registration_id
                  JOIN channel_registration issue ON issue.number = named.number
                  JOIN channel_registration_product_template_rel own_rel ON own_rel.registration_id = issue.id
                  JOIN product_template template ON template.id = own_rel.product_tmpl_id
                  JOIN product_product product ON product.product_tmpl_id = template.id AND product.active
                 WHERE ask.all_products IS NOT TRUE
            ),
            ask_registration AS MATERIALIZED (
                SELECT ask_product.id, issue.number
                  FROM (SELECT DISTINCT id, template_id FROM ask_product) ask_product
                  JOIN channel_registration_product_template_rel own_rel
                    ON own_rel.product_tmpl_id = ask_product.template_id
                  JOIN channel_registration issue ON issue.id = own_rel.registration_id
                 UNION
                SELECT ask.id, named.number
                  FROM ask
                  JOIN channel_authorization_registration_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_registration named ON named.id = rel.registration_id
            ),
            ask_category AS MATERIALIZED (
                SELECT DISTINCT ask_product.id, up.id::int AS category_id
                  FROM (SELECT DISTINCT id, categ_id FROM ask_product) ask_product
                  JOIN product_category own ON own.id = ask_product.categ_id
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(own.parent_path, '/'), '/')) AS up(id)
                 UNION
                SELECT ask.id, other.id
                  FROM ask
                  JOIN channel_authorization_product_category_rel rel ON rel.authorization_id = ask.id
                  JOIN product_category named ON named.id = rel.category_id
                  JOIN product_category other
                    ON other.parent_path LIKE named.parent_path || '%%'
                    OR named.parent_path LIKE other.parent_path || '%%'
            ),
            ask_device_category AS MATERIALIZED (
                SELECT DISTINCT ask_product.id, up.id::int AS category_id
                  FROM (SELECT DISTINCT id, template_id FROM ask_product) ask_product
                  JOIN channel_device_category_product_template_rel own_rel
                    ON own_rel.product_tmpl_id = ask_product.template_id
                  JOIN channel_device_category own ON own.id = own_rel.category_id
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(own.parent_path, '/'), '/')) AS up(id)
                 UNION
                SELECT ask.id, other.id
                  FROM ask
                  JOIN channel_authorization_device_category_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_device_category named ON named.id = rel.category_id
                  JOIN channel_device_category other
                    ON other.parent_path LIKE named.parent_path || '%%'
                    OR named.parent_path LIKE other.parent_path || '%%'
            )
            """
        )

    @api.model
    def _ask_meets_sql(self, ask, other):
        """SQL condition: another authorization names something that meets an authorization in ``ask``."""
        return SQL(
            """(
                EXISTS (
                    SELECT FROM channel_authorization_product_rel rel
                      JOIN ask_product ON ask_product.product_id = rel.product_id
                     WHERE rel.authorization_id = %(other)s.id AND ask_product.id = %(ask)s.id
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_product_category_rel rel
                      JOIN ask_category ON ask_category.category_id = rel.category_id
                     WHERE rel.authorization_id = %(other)s.id AND ask_category.id = %(ask)s.id
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_device_category_rel rel
                      JOIN ask_device_category ON ask_device_category.category_id = rel.category_id
                     WHERE rel.authorization_id = %(other)s.id AND ask_device_category.id = %(ask)s.id
                )
                OR EXISTS (
                    SELECT FROM channel_authorization_registration_rel rel
                      JOIN channel_registration named ON named.id = rel.registration_id
                      JOIN ask_registration ON ask_registration.number = named.number
                     WHERE rel.authorization_id = %(other)s.id AND ask_registration.id = %(ask)s.id
                )
            )""",
            ask=ask,
            other=other,
        )

    @api.model
    def _product_atoms_sql(self):
        """SQL query: what each authorization in ``ask`` names, and the authorizations in ``held`` that hold it whole.

        ``(id, product_id, holders)``. A category is held by a category at or above it, not by its products of today:
        what joins the category later would not be held. A certificate is held when its products are.
        """
        return SQL(
            """
                SELECT ask.id, NULL::int, ARRAY(
                        SELECT held.other_id FROM held WHERE held.id = ask.id AND held.all_products
                      ORDER BY held.other_id
                    )
                  FROM ask
                 WHERE ask.all_products
                 UNION ALL
                SELECT ask.id, NULL, ARRAY(
                        SELECT held.other_id FROM held
                         WHERE held.id = ask.id AND (held.all_products OR EXISTS (
                            SELECT FROM channel_authorization_product_category_rel above_rel
                              JOIN product_category allowed ON allowed.id = above_rel.category_id
                             WHERE above_rel.authorization_id = held.other_id
                               AND named.parent_path LIKE allowed.parent_path || '%%'
                         ))
                      ORDER BY held.other_id
                    )
                  FROM ask
                  JOIN channel_authorization_product_category_rel rel ON rel.authorization_id = ask.id
                  JOIN product_category named ON named.id = rel.category_id
                 WHERE ask.all_products IS NOT TRUE
                 UNION ALL
                SELECT ask.id, NULL, ARRAY(
                        SELECT held.other_id FROM held
                         WHERE held.id = ask.id AND (held.all_products OR EXISTS (
                            SELECT FROM channel_authorization_device_category_rel above_rel
                              JOIN channel_device_category allowed ON allowed.id = above_rel.category_id
                             WHERE above_rel.authorization_id = held.other_id
                               AND named.parent_path LIKE allowed.parent_path || '%%'
                         ))
                      ORDER BY held.other_id
                    )
                  FROM ask
                  JOIN channel_authorization_device_category_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_device_category named ON named.id = rel.category_id
                 WHERE ask.all_products IS NOT TRUE
                 UNION ALL
                SELECT ask.id, NULL, ARRAY(
                        SELECT held.other_id FROM held
                         WHERE held.id = ask.id AND (held.all_products OR EXISTS (
                            SELECT FROM channel_authorization_registration_rel above_rel
                              JOIN channel_registration allowed ON allowed.id = above_rel.registration_id
                             WHERE above_rel.authorization_id = held.other_id AND allowed.number = named.number
                         ))
                      ORDER BY held.other_id
                    )
                  FROM ask
                  JOIN channel_authorization_registration_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_registration named ON named.id = rel.registration_id
                 WHERE ask.all_products IS NOT TRUE
                   AND NOT EXISTS (
                    SELECT FROM channel_registration issue
                      JOIN channel_registration_product_template_rel own_rel ON own_rel.registration_id = issue.id
                     WHERE issue.number = named.number
                   )
                 UNION ALL
                SELECT listed.id, product.id, ARRAY(
                        SELECT held.other_id FROM held
                          JOIN channel_authorization b ON b.id = held.other_id
                         WHERE held.id = listed.id AND %(names)s
                      ORDER BY held.other_id
                    )
                  FROM (
                    SELECT ask.id, rel.product_id
                      FROM ask
                      JOIN channel_authorization_product_rel rel ON rel.authorization_id = ask.id
                     WHERE ask.all_products IS NOT TRUE
                     UNION
                    SELECT ask.id, variant.id
                      FROM ask
                      JOIN channel_authorization_registration_rel rel ON rel.authorization_id = ask.id
                      JOIN channel_registration named ON named.id = rel.registration_id
                      JOIN channel_registration issue ON issue.number = named.number
                      JOIN channel_registration_product_template_rel own_rel ON own_rel.registration_id = issue.id
                      JOIN product_product variant ON variant.product_tmpl_id = own_rel.product_tmpl_id
                     WHERE ask.all_products IS NOT TRUE
                  ) listed
                  JOIN product_product product ON product.id = listed.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
            """,
            names=self._products_sql(SQL("b"), SQL("product"), SQL("template")),
        )

    @api.model
    def _flush_matched(self):
        """Write pending changes of all that the conditions read."""
        self.flush_model()
        self.env["res.partner"].flush_model(
            ["channel_region_id", "channel_role", "channel_parent_id", "commercial_partner_id"]
        )
        self.env["res.company"].flush_model(["partner_id", "channel_agent_limits", "channel_platform_limits"])
        self.env["product.product"].flush_model(["product_tmpl_id", "active"])
        self.env["product.template"].flush_model(["categ_id", "channel_category_ids"])
        self.env["product.category"].flush_model(["parent_path"])
        self.env["channel.device.category"].flush_model(["parent_path"])
        self.env["channel.registration"].flush_model(["number", "product_tmpl_ids"])
        self.env["channel.region"].flush_model(["parent_path"])
