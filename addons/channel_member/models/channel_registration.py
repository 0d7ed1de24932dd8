from dateutil.relativedelta import relativedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

EXPIRING_DAYS = 180
#: Days before the expiry and how severe an alert is from then on, the widest first.
ALERT_STEPS = ((EXPIRING_DAYS, "info"), (90, "warning"), (30, "critical"))
ALERT_SOURCE = "registration"
TERMS = {
    "type_id", "number", "name", "device_class", "is_ivd", "category_ids", "holder_id", "holder_name", "issuer",
    "valid_from", "valid_to", "product_tmpl_ids", "document", "document_name",
}
DECISION_FIELDS = {"state", "submitted_by_id", "confirmed_by_id", "confirmed_at", "cancelled_on"}


class ChannelRegistration(models.Model):
    """Certificate by which an authority registers a device: its number, its holder, its validity, its products.

    A renewal keeps the number and is a new record, so that the past stays provable. ``state`` is what people decided
    (draft, valid, cancelled), ``status`` adds what the calendar makes of it. A device is lawful when it was *made*
    while the certificate was valid, however old it is by now; a cancelled certificate covers nothing from
    ``cancelled_on`` on, whenever the goods were made.
    """

    _name = "channel.registration"
    _description = "Registration Certificate"
    _inherit = ["mail.thread", "mail.activity.mixin", "channel.register.mixin"]
    _order = "number, valid_from desc, id desc"
    _rec_names_search = ["number", "name"]

    type_id = fields.Many2one(
        "channel.qualification.type",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('certifies_products', '=', True)]",
        tracking=True,
        help="Kind of certificate: it knows how the number is written.",
    )
    number = fields.Char(required=True, index="trigram", tracking=True)
    name = fields.Char(string="Product Name", help="Name of the product as registered.")
    device_class = fields.Selection(
        [("I", "Class I"), ("II", "Class II"), ("III", "Class III")], required=True, tracking=True
    )
    is_ivd = fields.Boolean(string="IVD Reagent", help="In-vitro diagnostic reagent.")
    category_ids = fields.Many2many(
        "channel.device.category",
        "channel_registration_device_category_rel",
        "registration_id",
        "category_id",
        string="Device Categories",
    )
    holder_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('is_company', '=', True)]",
        help="Company in whose name the device is registered, when it is a partner.",
    )
    holder_name = fields.Char(
        compute="_compute_holder_name", store=True, readonly=False, help="Holder as written on the certificate."
    )
    issuer = fields.Char(help="Authority that issued it, as written on the certificate.")
    valid_from = fields.Date(tracking=True, help="First day in force, of this issue or renewal.")
    valid_to = fields.Date(tracking=True, help="Last day in force; empty when it does not expire.")
    product_tmpl_ids = fields.Many2many(
        "product.template",
        "channel_registration_product_template_rel",
        "registration_id",
        "product_tmpl_id",
        string="Products",
    )
    product_count = fields.Integer(compute="_compute_product_count", string="Number of Products")
    document = fields.Binary(attachment=True)
    document_name = fields.Char()
    note = fields.Text()
    state = fields.Selection(
        [("draft", "To verify"), ("valid", "Valid"), ("cancelled", "Cancelled")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    status = fields.Selection(
        [
            ("draft", "To verify"),
            ("upcoming", "Upcoming"),
            ("valid", "Valid"),
            ("expiring", "Expiring"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_status",
        search="_search_status",
        help="As of today.",
    )
    submitted_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, help="Who entered or last changed it: somebody else verifies it."
    )
    confirmed_by_id = fields.Many2one("res.users", string="Verified by", readonly=True, copy=False, tracking=True)
    confirmed_at = fields.Datetime(string="Verified at", readonly=True, copy=False)
    cancelled_on = fields.Date(
        readonly=True, copy=False, tracking=True, help="From this day on nothing is sold under it."
    )

    _number_from_uniq = models.UniqueIndex(
        "(number, valid_from) WHERE valid_from IS NOT NULL",
        "A certificate of this number and start is entered already: a renewal starts on another day.",
    )
    _dates_order = models.Constraint(
        "CHECK(valid_to IS NULL OR valid_to >= valid_from)", "A certificate cannot expire before it is issued."
    )
    _dates_given = models.Constraint(
        "CHECK(state = 'draft' OR valid_from IS NOT NULL)",
        "The first day in force of a certificate must be entered before it is verified.",
    )
    _cancelled_on_given = models.Constraint(
        "CHECK(state != 'cancelled' OR cancelled_on IS NOT NULL)", "A cancelled certificate needs the day from which."
    )

    #=== COMPUTE METHODS ===#

    @api.depends("number", "name")
    def _compute_display_name(self):
        for registration in self:
            registration.display_name = " ".join(filter(None, (registration.number, registration.name)))

    @api.depends("holder_id")
    def _compute_holder_name(self):
        for registration in self:
            registration.holder_name = registration.holder_id.name or registration.holder_name

    @api.depends("product_tmpl_ids")
    def _compute_product_count(self):
        for registration in self:
            registration.product_count = len(registration.product_tmpl_ids)

    @api.depends("state", "valid_from", "valid_to", "cancelled_on")
    def _compute_status(self):
        today = fields.Date.context_today(self)
        soon = today + relativedelta(days=EXPIRING_DAYS)
        for registration in self:
            start, end = registration.valid_from, registration.valid_to
            if registration.state != "valid":
                registration.status = registration.state
            elif start > today:
                registration.status = "upcoming"
            elif end and end < today:
                registration.status = "expired"
            elif end and end <= soon:
                registration.status = "expiring"
            else:
                registration.status = "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        soon = today + relativedelta(days=EXPIRING_DAYS)
        valid = Domain("state", "=", "valid")
        started = valid & Domain("valid_from", "<=", today)
        domains = {
            "draft": Domain("state", "=", "draft"),
            "cancelled": Domain("state", "=", "cancelled"),
            "upcoming": valid & Domain("valid_from", ">", today),
            "expired": started & Domain("valid_to", "<", today),
            "expiring": started & Domain("valid_to", ">=", today) & Domain("valid_to", "<=", soon),
            "valid": started & (Domain("valid_to", "=", False) | Domain("valid_to", ">", soon)),
        }
        return Domain.OR(domains[status] for status in value if status in domains)

    #=== CONSTRAINT METHODS ===#

    @api.constrains("state", "number", "type_id", "device_class", "is_ivd", "product_tmpl_ids")
    def _check_valid(self):
        for registration in self.filtered(lambda r: r.state == "valid"):
            if problems := registration._problems():
                raise ValidationError("\n".join((
                    self.env._("Certificate %s cannot be verified:", registration.number), *problems
                )))

    def _problems(self):
        """Sentences about what does not fit together on one certificate; an add-on of a country adds its own."""
        self.ensure_one()
        labels = dict(self._fields["device_class"]._description_selection(self.env))
        problems = []
        if self.type_id:
            result = self.type_id._validate(self.number)
            if not result["valid"]:
                problems.append(self.env._(
                    "Number %(number)s is not valid for %(type)s: %(reason)s",
                    number=self.number,
                    type=self.type_id.name,
                    reason=self.type_id._validation_message(result),
                ))
            parsed_class = result["parsed"].get("device_class")
            if parsed_class and parsed_class != self.device_class:
                problems.append(self.env._(
                    "Class: number %(number)s is of a device of %(parsed)s, but the certificate says %(entered)s.",
                    number=self.number,
                    parsed=labels[parsed_class],
                    entered=labels[self.device_class],
                ))
            if "ivd" in result["parsed"] and result["parsed"]["ivd"] and not self.is_ivd:
                problems.append(self.env._(
                    "IVD reagent: number %s is of a reagent, but the certificate is not marked as one.", self.number
                ))
        for template in self.product_tmpl_ids:
            if template.channel_device_class != self.device_class:
                problems.append(self.env._(
                    "Product %(product)s is entered as %(entered)s and the certificate is of %(certified)s: correct "
                    "the device class of one of them.",
                    product=template.display_name,
                    entered=dict(template._fields["channel_device_class"]._description_selection(self.env)).get(
                        template.channel_device_class, ""
                    ),
                    certified=labels[self.device_class],
                ))
        return problems

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not self.env.su and DECISION_FIELDS & vals.keys() and vals.get("state", "draft") != "draft":
                raise AccessError(self.env._("A certificate is entered as a draft and verified by somebody else."))
        vals_list = [{**vals, "submitted_by_id": self.env.uid} for vals in vals_list]
        if not self.env.su:
            # A client must not decide by the default values of its context either.
            vals_list = [{**vals, "state": "draft"} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and DECISION_FIELDS & vals.keys():
            raise AccessError(self.env._(
                "Use Verify, Cancel or Back to Draft: the state of a certificate is not edited."
            ))
        if TERMS & vals.keys():
            if decided := self.filtered(lambda r: r.state != "draft"):
                raise UserError(self.env._(
                    "%s is verified or cancelled and does not change. Enter a renewal as a new certificate, or set it "
                    "back to draft to correct it.", decided[0].display_name,
                ))
            vals = {**vals, "submitted_by_id": self.env.uid}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        for registration in self:
            if registration.state != "draft":
                raise UserError(self.env._(
                    "%s has been verified and is kept as evidence: cancel it instead.", registration.display_name
                ))

    #=== ACTION METHODS ===#

    def action_confirm(self):
        """Confirm that the certificates were seen and are genuine. Compliance, and not who entered them.

        :raise AccessError: the user is not of Compliance
        :raise UserError: a certificate is not a draft, or the user entered or last changed it
        :raise ValidationError: a number, class or product does not fit; the message says what
        """
        self._check_may_decide()
        for registration in self:
            if registration.state != "draft":
                raise UserError(self.env._("%s is not waiting for verification.", registration.display_name))
            if not registration.valid_from:
                raise UserError(self.env._(
                    "%s: enter the first day in force before it is verified.", registration.display_name
                ))
            if registration.submitted_by_id == self.env.user and self.env.uid != SUPERUSER_ID:
                raise UserError(self.env._(
                    "%(user)s entered or last changed %(document)s: somebody else verifies it.",
                    user=self.env.user.name,
                    document=registration.display_name,
                ))
        # sudo: the decision has been checked above; only the decision is written.
        self.sudo().write({"state": "valid", "confirmed_by_id": self.env.uid, "confirmed_at": fields.Datetime.now()})
        self.env["channel.audit.entry"]._record(
            "registration.verified", self, before={"state": "draft"}, after=self._audit_values()
        )
        return True

    def action_cancel(self, reason=None, date=None):
        """Take certificates out of force: nothing is sold under them any more. Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day of it; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "cancel_registration")
        self._check_may_decide()
        for registration in self:
            if registration.state != "valid":
                raise UserError(self.env._("%s is not valid.", registration.display_name))
        date = fields.Date.to_date(date) or fields.Date.context_today(self)
        # sudo: as in action_confirm
        self.sudo().write({"state": "cancelled", "cancelled_on": date})
        self.env["channel.audit.entry"]._record(
            "registration.cancelled", self, reason=reason, before={"state": "valid"},
            after={"state": "cancelled", "cancelled_on": date},
        )
        return True

    def action_draft(self, reason=None):
        """Set certificates back to draft to correct what was entered; they cover nothing until verified again.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "reset_registration")
        self._check_may_decide()
        before = self._audit_values()
        # sudo: as in action_confirm
        self.sudo().write({"state": "draft", "confirmed_by_id": False, "confirmed_at": False, "cancelled_on": False})
        self.env["channel.audit.entry"]._record(
            "registration.reset", self, reason=reason, before=before, after={"state": "draft"}
        )
        return True

    def action_renew(self):
        """Open a draft that follows this certificate: same number, holder and products, from the day after."""
        self.ensure_one()
        start = fields.Date.add(self.valid_to, days=1) if self.valid_to else fields.Date.context_today(self)
        months = self.type_id.validity_months
        renewal = self.copy({
            "valid_from": start,
            "valid_to": start + relativedelta(months=months, days=-1) if months else False,
        })
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": renewal.id,
            "view_mode": "form",
        }

    #=== BUSINESS METHODS ===#

    def _check_may_decide(self):
        if not self.env.user.has_group("channel_base.group_channel_compliance"):
            raise AccessError(self.env._("Certificates are verified and cancelled by Channel Compliance."))
        self.check_access("read")

    def _audit_values(self):
        return {
            registration.id: {
                "state": registration.state,
                "number": registration.number,
                "class": registration.device_class,
                "holder": registration.holder_name or None,
                "valid_from": registration.valid_from or None,
                "valid_to": registration.valid_to or None,
                "products": sorted(registration.product_tmpl_ids.ids),
            }
            for registration in self
        }

    def _foremost(self):
        """The certificate to show among those of one product: in force today, else the newest decided, else any."""
        rank = {"valid": 0, "expiring": 0, "expired": 1, "upcoming": 2, "cancelled": 3, "draft": 4}
        ordered = self.sorted(lambda r: r.valid_from or fields.Date.to_date("1900-01-01"), reverse=True)
        return ordered.sorted(lambda r: rank[r.status])[:1]

    @api.model
    def _in_force_sql(self, registration, date):
        """SQL condition: a certificate is in force on a date; the day of expiry is the last day in force.

        :param SQL registration: alias of ``channel_registration``
        :param SQL date: expression of type date
        """
        return SQL(
            """(
                %(r)s.valid_from <= %(date)s
                AND (%(r)s.valid_to IS NULL OR %(r)s.valid_to >= %(date)s)
                AND (%(r)s.state = 'valid' OR %(r)s.state = 'cancelled' AND %(r)s.cancelled_on > %(date)s)
            )""",
            r=registration,
            date=date,
        )

    @api.model
    def _gaps(self, asks):
        """Devices that no certificate covers, in one query for any number of questions.

        Asked are devices of a class for which some active type registers products in the company's country. Judged
        are goods made on ``made``: a certificate covers them that was in force on that day and is not cancelled on
        ``date``. With ``made`` unknown, one that is in force on ``date`` covers them.

        :param asks: iterable of ``(product_tmpl_id, company_id, date, made, country_id)``; ``made`` a date or None,
            ``country_id`` that of the buyer: what is exported is under the law of another country; None for the
            seller's
        :return: ``{ask: (reason, certificate)}``, what is covered left out. ``reason``: ``none`` (never verified any),
            ``cancelled``, ``later`` (starts after ``date``), ``unknown`` (expired, and nobody knows when the goods were
            made), ``outside`` (made on a day on which none was in force). ``certificate``: the newest one it is about,
            superuser rights, maybe empty.
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self.flush_model()
        self.env["channel.qualification.type"].flush_model()
        self.env["product.template"].flush_model(["channel_device_class", "channel_registration_ids"])
        self.env["res.company"].flush_model(["partner_id"])
        self.env["res.partner"].flush_model(["country_id"])
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (
                SELECT * FROM unnest(%(keys)s::int[], %(templates)s::int[], %(companies)s::int[], %(dates)s::date[],
                    %(made)s::date[], %(countries)s::int[]) AS ask(key, template_id, company_id, date, made, country_id)
            )
            SELECT ask.key, last.id, last.state = 'cancelled' AND last.cancelled_on <= ask.date,
                   last.valid_from > ask.date
              FROM ask
              JOIN product_template template ON template.id = ask.template_id
              JOIN res_company company ON company.id = ask.company_id
              JOIN res_partner seller ON seller.id = company.partner_id
         LEFT JOIN LATERAL (
                    SELECT r.id, r.state, r.cancelled_on, r.valid_from
                      FROM channel_registration r
                      JOIN channel_registration_product_template_rel rel
                        ON rel.registration_id = r.id AND rel.product_tmpl_id = template.id
                     WHERE r.state != 'draft'
                  ORDER BY r.valid_from <= ask.date DESC, r.valid_from DESC, r.id DESC
                     LIMIT 1
              ) last ON TRUE
             WHERE EXISTS (
                    SELECT FROM channel_qualification_type type
                     WHERE type.active AND type.certifies_products
                       AND (type.country_id IS NULL OR type.country_id = seller.country_id)
                       AND COALESCE(ask.country_id, seller.country_id) IS NOT DISTINCT FROM seller.country_id
                       AND CASE template.channel_device_class
                            WHEN 'I' THEN type.device_class_i
                            WHEN 'II' THEN type.device_class_ii
                            WHEN 'III' THEN type.device_class_iii
                       END
              )
               AND NOT EXISTS (
                    SELECT FROM channel_registration r
                      JOIN channel_registration_product_template_rel rel
                        ON rel.registration_id = r.id AND rel.product_tmpl_id = template.id
                     WHERE %(in_force)s
                       AND (r.cancelled_on IS NULL OR r.cancelled_on > ask.date)
              )
            """,
            keys=list(range(len(asks))),
            templates=[ask[0] for ask in asks],
            companies=[ask[1] for ask in asks],
            dates=[ask[2] for ask in asks],
            made=[ask[3] for ask in asks],
            countries=[ask[4] for ask in asks],
            in_force=self._in_force_sql(SQL("r"), SQL("COALESCE(ask.made, ask.date)")),
        ))
        # sudo: the gate judges by every certificate, whoever presses the button.
        lasts = self.sudo().browse(dict.fromkeys(row[1] for row in rows if row[1]))
        gaps = {}
        for key, last_id, cancelled, later in rows:
            ask = asks[key]
            last = lasts.browse(last_id and [last_id]).with_prefetch(lasts._ids)
            if not last:
                reason = "none"
            elif cancelled:
                reason = "cancelled"
            elif ask[3]:
                reason = "outside"
            else:
                reason = "later" if later else "unknown"
            gaps[ask] = reason, last
        return gaps

    @api.model
    def _lawful_stock(self, asks):
        """Products of which goods lie in stock that were made while a certificate was valid, in one query.

        :param asks: iterable of ``(product_tmpl_id, company_id, date)``; cancelled certificates cover nothing from
            their day on
        :return: set of the asks of which there is such stock in the company's own locations
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return set()
        self.flush_model()
        for model, names in (
            ("stock.quant", ["product_id", "lot_id", "location_id", "company_id", "quantity"]),
            ("stock.lot", ["channel_production_date"]),
            ("stock.location", ["usage"]),
            ("product.product", ["product_tmpl_id"]),
        ):
            self.env[model].flush_model(names)
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (
                SELECT * FROM unnest(%(keys)s::int[], %(templates)s::int[], %(companies)s::int[], %(dates)s::date[])
                    AS ask(key, template_id, company_id, date)
            )
            SELECT ask.key
              FROM ask
             WHERE EXISTS (
                    SELECT FROM stock_quant quant
                      JOIN stock_location location ON location.id = quant.location_id AND location.usage = 'internal'
                      JOIN product_product product ON product.id = quant.product_id
                      JOIN stock_lot lot ON lot.id = quant.lot_id
                      JOIN channel_registration_product_template_rel rel
                        ON rel.product_tmpl_id = product.product_tmpl_id
                      JOIN channel_registration r ON r.id = rel.registration_id
                     WHERE product.product_tmpl_id = ask.template_id
                       AND quant.company_id = ask.company_id
                       AND quant.quantity > 0
                       AND lot.channel_production_date <= ask.date
                       AND %(in_force)s
                       AND (r.cancelled_on IS NULL OR r.cancelled_on > ask.date)
              )
            """,
            keys=list(range(len(asks))),
            templates=[ask[0] for ask in asks],
            companies=[ask[1] for ask in asks],
            dates=[ask[2] for ask in asks],
            in_force=self._in_force_sql(SQL("r"), SQL("lot.channel_production_date")),
        ))
        return {asks[row[0]] for row in rows}

    #=== ALERTS ===#

    @api.model
    def _cron_alert_expiry(self):
        """Raise alerts about certificates that expire, and clear those whose cause is gone. Safe to run twice.

        One alert for each certificate, more severe as the day comes nearer; none where a renewal of the same number
        is verified, or where the certificate has no product that is sold.
        """
        today = fields.Date.context_today(self)
        expiring = self.search([
            ("state", "=", "valid"), ("valid_to", "<=", fields.Date.add(today, days=EXPIRING_DAYS)),
            ("product_tmpl_ids.active", "=", True),
        ])
        newest = {}
        for registration in self.search([("state", "=", "valid"), ("number", "in", expiring.mapped("number"))]):
            newest[registration.number] = max(
                newest.get(registration.number, registration), registration, key=lambda r: r.valid_from
            )
        values_list = []
        for registration in expiring.filtered(lambda r: newest[r.number] == r):
            days = (registration.valid_to - today).days
            values_list.append({
                "key": str(registration.id),
                "record": registration,
                "severity": [severity for limit, severity in ALERT_STEPS if days <= limit][-1],
                "name": self.env._("Certificate %s has expired", registration.display_name)
                if days < 0
                else self.env._("Certificate %s expires", registration.display_name),
                "note": self.env._(
                    "Last day in force: %(expiry)s. Products: %(products)s.",
                    expiry=format_date(self.env, registration.valid_to),
                    products=", ".join(registration.product_tmpl_ids.mapped("name")),
                ),
            })
        alerts = self.env["channel.alert"]
        current = {values["key"] for values in values_list}
        # sudo: the job tidies the alerts of its own source, whoever owns them.
        standing = alerts.sudo().search([("source", "=", ALERT_SOURCE), ("state", "!=", "resolved")]).mapped("key")
        alerts._clear_alerts(ALERT_SOURCE, [key for key in standing if key not in current])
        alerts._raise_alerts(ALERT_SOURCE, values_list)

    #=== REGISTER ===#

    @api.model
    def _register_domain(self):
        """Certificates that are relied on, and so looked up again every night."""
        return Domain("state", "=", "valid")

    def _register_ask(self):
        self.ensure_one()
        return {"type_id": self.type_id.id, "number": self.number} if self.type_id else None

    def _register_facts(self):
        self.ensure_one()
        return {
            "status": "in_force" if self.state == "valid" else False,
            "name": self.name,
            "holder_name": self.holder_name,
            "holder_code": self.holder_id.vat,
            "date_from": self.valid_from,
            "date_to": self.valid_to,
            "device_class": self.device_class,
        }
