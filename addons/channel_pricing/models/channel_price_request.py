from datetime import datetime, time

import pytz
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from odoo.addons.channel_base.tools.private_key import PrivateKey

from .channel_price_request_line import SECRET

#: Opens the transitions of a request to the code of this model.
_DECIDER = PrivateKey("channel_price_request_decider")

#: The activity by which approvers are told; its own type, so that closing it closes nobody's other to-dos.
ACTIVITY_TYPE = "channel_pricing.mail_activity_type_price_request"

OPEN_STATES = ("draft", "submitted")


class ChannelPriceRequest(models.Model):
    """A special price: a price of its own for one member, for one end customer or for all, for a quantity and a time.

    Approved, each line becomes a rule on the member's price table that is tried before every other. What confirmed
    orders take of it is counted; when the quantity is used up the rule holds for nobody, and when the time is over the
    request closes.

    States: ``draft`` belongs to who asks, ``submitted`` to the approvers, ``approved`` until its last day, then
    ``closed``; ``rejected`` and ``cancelled`` are final. They change by Submit, Take Back, Approve, Reject, Cancel and
    End only.
    """

    _name = "channel.price.request"
    _description = "Special Price Request"
    _inherit = ["channel.approval.mixin", "channel.price.request.api.mixin", "channel.portal.files.mixin"]
    _rec_names_search = ["name", "member_id.name", "customer_id.name"]
    _order = "id desc"
    _check_company_auto = True
    #: The children that are as fixed as the request, see ``channel.version.line.mixin``
    _version_line_fields = ("line_ids",)

    # Editable means: a draft. Only a submitted one can be approved, see _check_state_from_condition.
    _state_from = list(OPEN_STATES)

    name = fields.Char(string="Reference", readonly=True, copy=False, index="trigram")
    state = fields.Selection(
        selection_add=[
            ("draft", "Draft"),
            ("submitted", "Waiting for Approval"),
            ("approved", "Approved"),
            ("closed", "Closed"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
        ],
        ondelete={"submitted": "set default", "closed": "set default", "rejected": "set default"},
    )
    member_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('channel_role', '!=', False), ('is_company', '=', True)]",
        tracking=True,
    )
    customer_id = fields.Many2one(
        "res.partner",
        string="End Customer",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('channel_role', '=', 'hospital')]",
        tracking=True,
        help="The hospital for which the price is asked. Empty: for whatever the member buys.",
    )
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        index="btree_not_null",
        default=lambda self: self.env.user if self.env.user._is_internal() else False,
        domain="[('share', '=', False)]",
        tracking=True,
        help="Is told what became of the request.",
    )
    source = fields.Selection(
        [("internal", "Own People"), ("portal", "Dealer"), ("api", "Interface")],
        default="internal",
        required=True,
        readonly=True,
        copy=False,
    )
    external_id = fields.Char(readonly=True, copy=False, help="The number that the sending system gave it.")
    order_id = fields.Many2one(
        "sale.order", string="Quotation", index="btree_not_null", copy=False, readonly=True, ondelete="set null"
    )
    previous_id = fields.Many2one(
        "channel.price.request", string="Renewal of", index="btree_not_null", copy=False, readonly=True
    )
    date_from = fields.Date(string="From", required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(
        string="To",
        required=True,
        tracking=True,
        default=lambda self: fields.Date.context_today(self) + relativedelta(months=3),
        help="The last day on which orders are confirmed at this price.",
    )
    ended_on = fields.Date(readonly=True, copy=False, tracking=True, help="The last day in force.")
    purpose = fields.Selection(
        [
            ("competition", "Competition"),
            ("tender", "Tender"),
            ("volume", "Volume"),
            ("clearance", "Stock near its expiry"),
            ("other", "Other"),
        ],
        required=True,
        default="competition",
        tracking=True,
    )
    competitor = fields.Char(groups="base.group_user", tracking=True)
    reason = fields.Text(groups="base.group_user", help="Why the price is asked for. Not shown to the dealer.")
    attachment_ids = fields.Many2many(
        "ir.attachment",
        "channel_price_request_attachment_rel",
        "request_id",
        "attachment_id",
        string="Attachments",
        copy=False,
        bypass_search_access=True,
        groups="base.group_user",
        help="The competitor's offer, the tender, ...",
    )
    line_ids = fields.One2many("channel.price.request.line", "request_id", string="Prices", copy=True)

    pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Price Table",
        compute="_compute_pricelist_id",
        store=True,
        help="The member's table, which the special prices are written into.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_pricelist_id", store=True)
    amount = fields.Monetary(compute="_compute_totals", store=True, help="At the prices asked for.")
    table_amount = fields.Monetary(string="Amount by the Table", compute="_compute_totals", store=True)
    largest_discount = fields.Float(
        string="Largest Discount (%)", compute="_compute_totals", store=True, aggregator="max", digits=(16, 2)
    )
    smallest_margin = fields.Float(
        string="Smallest Margin (%)",
        compute="_compute_totals",
        store=True,
        aggregator="min",
        digits=(16, 2),
        groups=SECRET,
    )
    is_below_floor = fields.Boolean(
        string="Below the Floor", compute="_compute_totals", store=True, groups=SECRET
    )
    claim_count = fields.Integer(string="Claims", compute="_compute_claim_count")
    used_percent = fields.Float(string="Used (%)", compute="_compute_used_percent", aggregator=None)

    submitted_at = fields.Datetime(readonly=True, copy=False)
    submitted_by_id = fields.Many2one("res.users", string="Submitted by", readonly=True, copy=False)
    decision_reason = fields.Char(
        string="Reason of the Decision", readonly=True, copy=False, help="Why it was rejected or cancelled."
    )

    _dates_order = models.Constraint(
        "CHECK(date_to >= date_from)", "A special price cannot end before it begins: change From or To."
    )
    _external_id_uniq = models.UniqueIndex(
        "(company_id, member_id, external_id) WHERE external_id IS NOT NULL",
        "There is already a special price request of this member with this external number.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("name", "member_id.name")
    def _compute_display_name(self):
        for request in self:
            request.display_name = " · ".join(filter(None, (request.name, request.member_id.name)))

    @api.depends("member_id", "company_id", "date_from")
    def _compute_pricelist_id(self):
        pricing = self.env["channel.pricing"]
        for (company, day), requests in self.grouped(lambda request: (request.company_id, request.date_from)).items():
            members = requests.member_id.commercial_partner_id._origin
            tables = pricing.with_company(company)._pricelists_of(members, pricing._moment(day, company))
            for request in requests:
                table = tables.get(request.member_id.commercial_partner_id._origin.id)
                request.pricelist_id = table
                request.currency_id = (table and table.currency_id) or company.currency_id

    @api.depends(
        "line_ids.amount", "line_ids.table_amount", "line_ids.discount", "line_ids.margin", "line_ids.is_below_floor"
    )
    def _compute_totals(self):
        for request in self:
            lines, currency = request.line_ids, request.currency_id
            request.amount = currency.round(sum(lines.mapped("amount"))) if currency else 0.0
            request.table_amount = currency.round(sum(lines.mapped("table_amount"))) if currency else 0.0
            request.largest_discount = max(lines.mapped("discount"), default=0.0)
            request.smallest_margin = min(lines.mapped("margin"), default=0.0)
            request.is_below_floor = any(lines.mapped("is_below_floor"))

    @api.depends("line_ids.used_quantity", "line_ids.quantity")
    def _compute_used_percent(self):
        for request in self:
            shares = [line.used_quantity / line.quantity for line in request.line_ids if line.quantity]
            request.used_percent = 100 * max(shares, default=0.0)

    def _compute_claim_count(self):
        claims = self._claims()
        for request in self:
            request.claim_count = len(claims[request])

    # === CONSTRAINT METHODS ===#

    @api.constrains("member_id", "customer_id")
    def _check_parties(self):
        for request in self:
            for partner in (request.member_id, request.customer_id):
                if partner and partner.commercial_partner_id != partner:
                    raise ValidationError(
                        self.env._(
                            "%(contact)s is a contact of %(company)s: a special price names the company itself.",
                            contact=partner.display_name,
                            company=partner.commercial_partner_id.display_name,
                        )
                    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not _DECIDER.opens(self):
            for vals in vals_list:
                self._check_own_fields(vals)
                if vals.get("state", "draft") != "draft":
                    raise UserError(self._message_by_methods())
        # sudo: who may ask for a price may use up a number of the sequence.
        sequence = self.env["ir.sequence"].sudo()
        requests = super(ChannelPriceRequest, _DECIDER.close(self)).create(
            [{**vals, "name": sequence.next_by_code("channel.price.request")} for vals in vals_list]
        )
        return requests.with_env(self.env)

    @api.model
    def _make_own(self, vals):
        """Create a request with values that nobody writes by hand: where it comes from."""
        return _DECIDER.close(_DECIDER.open(self).create(vals))

    def write(self, vals):
        if not _DECIDER.opens(self):
            self._check_own_fields(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        for request in self:
            if request.submitted_at:
                raise UserError(
                    self.env._(
                        "%s has been submitted and is kept as evidence: cancel it instead.", request.display_name
                    )
                )

    @api.model
    def _own_fields(self):
        """Fields that only the methods of this model write."""
        return (
            "name", "source", "external_id", "order_id", "previous_id", "ended_on", "submitted_at", "submitted_by_id",
            "decision_reason",
        )

    def _check_own_fields(self, vals):
        for name in self._own_fields():
            if vals.get(name) and not (name == "source" and vals[name] == "internal"):
                raise AccessError(
                    self.env._(
                        "Field “%(field)s” of a special price request is filled by the request itself and cannot be "
                        "written.",
                        field=self._fields[name].string,
                    )
                )

    def _check_state_by_hand(self, vals):
        if not _DECIDER.opens(self) and "state" in vals and any(request.state != vals["state"] for request in self):
            raise UserError(self._message_by_methods())

    @api.model
    def _message_by_methods(self):
        return self.env._(
            "The state of a special price request is changed by Submit, Approve, Reject, Cancel and End, not by "
            "writing it."
        )

    def _check_terms_locked(self, vals):
        if _DECIDER.opens(self):
            return
        super()._check_terms_locked(vals)
        if set(vals) & set(self._approval_terms()):
            self._check_editable()

    def _check_editable(self):
        for request in self:
            if request.state != "draft":
                raise UserError(
                    self.env._(
                        "%s is not a draft: take it back before you change it, or renew it when it is decided.",
                        request.display_name,
                    )
                )

    def _touches_terms(self, vals):
        # What follows from a decision makes nobody an author.
        return not _DECIDER.opens(self) and super()._touches_terms(vals)

    # === APPROVAL ===#

    def _approval_terms(self):
        return [
            "member_id", "customer_id", "company_id", "date_from", "date_to", "purpose", "competitor", "reason",
            "attachment_ids", "line_ids",
        ]

    def _approval_authors(self):
        # sudo: a name only, as in the mixin
        return super()._approval_authors() | self.sudo().submitted_by_id

    def _get_under_validation_exceptions(self):
        return super()._get_under_validation_exceptions() + ["state", *self._own_fields()]

    def _check_state_from_condition(self):
        """Only what was submitted is validated; a draft belongs to who asks."""
        return super()._check_state_from_condition() and self.state == "submitted"

    def evaluate_tier(self, tier):
        # sudo: which tiers match may rest on margin and floor, which who asks may not read
        return super(ChannelPriceRequest, self.sudo()).evaluate_tier(tier)

    def _check_may_approve(self):
        if self.state == "draft":
            raise UserError(self.env._("%s has not been submitted: it waits for who asks.", self.display_name))
        super()._check_may_approve()

    def _approval_before(self):
        super()._approval_before()
        for request in self:
            # Of two approvers at once one goes on; the other is told, or repeated by the server and then told.
            if not request.try_lock_for_update():
                raise UserError(
                    self.env._(
                        "%s is being decided by somebody else at this moment. Look at it again.", request.display_name
                    )
                )
            if request.state != "submitted":
                raise UserError(self.env._("%s is not submitted any more.", request.display_name))
            request._check_complete()

    def _approval_audit_values(self):
        return {request.id: request._audit_vals() for request in self}

    def _approval_done(self):
        super()._approval_done()
        for request in self:
            request.line_ids._make_rules()
            request._close_activities()
            request._apply_to_quotation()
            request._tell(self.env._("Approved: the special price holds until %s.", request._day(request.date_to)))

    def _approval_step(self, step):
        super()._approval_step(step)
        if step == "rejected":
            for request in self:
                rejected = request.review_ids.filtered(lambda review: review.status == "rejected" and review.comment)
                request._reject(rejected[:1].comment or self.env._("Rejected in the validation"))
        elif step in ("requested", "validated"):
            self.filtered(lambda request: request.state == "submitted")._ask_approvers()

    def _audit_vals(self):
        self.ensure_one()
        return {
            "reference": self.name,
            "member": self.member_id.display_name,
            "customer": self.customer_id.display_name or None,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "purpose": self.purpose,
            "reason": self.reason or None,
            "currency": self.currency_id.name,
            "lines": [line._audit_vals() for line in self.line_ids],
        }

    # === ACTION METHODS ===#

    def action_submit(self):
        """Hand drafts in for approval.

        :raise UserError: something is missing; the message says what
        """
        self.check_access("write")
        for request in self:
            request._submit()
        return True

    def action_take_back(self):
        """Make submitted requests drafts again, to change them. Those who may edit them."""
        self.check_access("write")
        self._check_state("submitted")
        self._drop_reviews()
        self._decide("draft", {})
        self._journal("price_request.taken_back", before={"state": "submitted"}, after={"state": "draft"})
        return True

    def action_reject(self, reason=None):
        """Refuse submitted requests. Those who may approve them.

        :param str reason: why, told to who asked; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.price.decision"]._open(self, "reject_request")
        self.check_access("read")
        self._check_state("submitted")
        for request in self:
            if not (request.can_approve or request.can_review):
                raise AccessError(self.env._("%s is rejected by who may approve it.", request.display_name))
        self._drop_reviews()
        for request in self:
            request._reject(reason)
        return True

    def action_cancel(self, reason=None):
        """Withdraw requests that are not decided. Those who may edit them.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.price.decision"]._open(self, "cancel_request")
        self.check_access("write")
        self._check_state(*OPEN_STATES)
        before = {request.id: {"state": request.state} for request in self}
        self._drop_reviews()
        self._decide("cancelled", {"decision_reason": reason})
        self._journal("price_request.cancelled", reason=reason, before=before, after={"state": "cancelled"})
        return True

    def action_end(self, date=None, reason=None):
        """End approved special prices before their time. Pricing and managers.

        :param date: the last day in force, ISO text or ``date``, not before yesterday; today in the company's time zone
            when left out
        :param str reason: why, for the journal; without it the wizard that asks for it is returned
        :raise UserError: a request is not approved, or ends before that day already
        """
        if not reason:
            return self.env["channel.price.decision"]._open(self, "end_request")
        self._check_may_end()
        self._check_state("approved")
        date = fields.Date.to_date(date)
        for request in self:
            last_day = date or request.company_id._channel_today()
            yesterday = fields.Date.subtract(request.company_id._channel_today(), days=1)
            if last_day < yesterday:
                raise UserError(
                    self.env._(
                        "Last Day: %(request)s held on the days after %(date)s. Choose %(yesterday)s or a later day.",
                        request=request.display_name,
                        date=request._day(last_day),
                        yesterday=request._day(yesterday),
                    )
                )
            if last_day >= request._last_day():
                raise UserError(
                    self.env._(
                        "Last Day: %(request)s ends on %(end)s anyhow. Choose an earlier day than that.",
                        request=request.display_name,
                        end=request._day(request._last_day()),
                    )
                )
            before = {"last_day": request._last_day()}
            # sudo: the position was checked; who ends a price need not be allowed to edit requests or price rules.
            _DECIDER.open(request.sudo()).write({"ended_on": last_day})
            request.sudo().line_ids._end_rules()
            request._journal("price_request.ended", reason=reason, before=before, after={"last_day": last_day})
            request._tell(self.env._("Ends on %(date)s: %(reason)s", date=request._day(last_day), reason=reason))
        return True

    def action_renew(self):
        """Open a draft of the same prices for as long again, from the day after the last one.

        :return: the action that opens it
        """
        self.ensure_one()
        self.check_access("read")
        if self.state in OPEN_STATES:
            raise UserError(self.env._("%s is not decided yet: edit it as it is.", self.display_name))
        start = max(fields.Date.add(self._last_day(), days=1), self.company_id._channel_today())
        values = self.copy_data({"date_from": start, "date_to": start + (self.date_to - self.date_from)})[0]
        return self._make_own({**values, "previous_id": self.id})._get_records_action()

    def action_refresh(self):
        """Work the figures of drafts and submitted requests out anew, when tables, limits or costs have changed."""
        self.check_access("read")
        self._check_state(*OPEN_STATES)
        # sudo: figures are nobody's to write; they are computed
        self.sudo().line_ids._refresh_figures()
        return True

    def action_view_orders(self):
        """Open the orders that took of these special prices."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders"),
            "domain": [("order_line.channel_request_line_id.request_id", "=", self.id)],
            "context": {},
        }

    def action_view_claims(self):
        """Open what has been claimed for these special prices; see :meth:`_claims`."""
        self.ensure_one()
        claims = self._claims()[self]
        return claims._get_records_action(name=self.env._("Claims"))

    # === HOOKS ===#

    def _claims(self):
        """What members have claimed for what they sold at these prices: add-ons that know claims say so.

        :return: ``{request: recordset of claims}``, of one model; empty recordsets by default. What is to be claimed is
            in :meth:`channel.price.request.line._sold`.
        """
        return {request: self.browse() for request in self}

    # === BUSINESS METHODS ===#

    def _last_day(self):
        self.ensure_one()
        return min(self.date_to, self.ended_on) if self.ended_on else self.date_to

    def _bounds(self):
        """First and last moment of the days in force, naive UTC."""
        self.ensure_one()
        zone = pytz.timezone(self.company_id._channel_zone())

        def moment(day, clock):
            return zone.localize(datetime.combine(day, clock)).astimezone(pytz.utc).replace(tzinfo=None)

        return moment(self.date_from, time.min), moment(self._last_day(), time(23, 59, 59))

    def _submit(self):
        """Hand in, as :meth:`action_submit`; the caller has checked that it acts for who asks."""
        self.ensure_one()
        self._check_state("draft")
        # sudo: dealers hand in by the portal; only what follows from submitting is written.
        request = self.sudo()
        request.line_ids._refresh_figures()
        request._check_complete()
        request._decide("submitted", {"submitted_at": fields.Datetime.now(), "submitted_by_id": self.env.uid})
        request._journal("price_request.submitted", before={"state": "draft"}, after={"state": "submitted"})
        try:
            with self.env.cr.savepoint():
                request.request_validation()
        except UserError as error:
            # That a tier has nobody is our own matter and not that of who asks
            request._message_log(body=self.env._("The validation could not be requested: %s", error))
        request._ask_approvers()

    def _check_complete(self):
        """What keeps a request from being submitted or approved."""
        self.ensure_one()
        problems = []
        if not self.line_ids:
            problems.append(self.env._("Prices: there is none. Add a product with its quantity and price."))
        today = self.company_id._channel_today()
        if self.date_to < today:
            problems.append(
                self.env._("To: %s is over. Choose today or a later day.", self._day(self.date_to))
            )
        if not self.pricelist_id:
            problems.append(
                self.env._("Member: %s has no price table. Give it one, or a contract with one.", self.member_id.name)
            )
        if self.source == "internal" and not (self.reason or "").strip():
            problems.append(self.env._("Reason: it is empty. Say why the price is asked for."))
        if problems:
            raise UserError("\n".join([self.env._("%s is not complete:", self.display_name), *problems]))

    def _reject(self, reason):
        self.ensure_one()
        self._decide("rejected", {"decision_reason": reason})
        self._journal(
            "price_request.rejected", reason=reason, before={"state": "submitted"}, after={"state": "rejected"}
        )
        self._tell(self.env._("Rejected: %s", reason))

    def _decide(self, state, values):
        """Write a transition that the caller has checked."""
        # sudo: the caller checked who decides; only the state and what goes with it is written.
        requests = self.sudo()
        _DECIDER.open(requests).write({"state": state, **values})
        if state != "submitted":
            requests._close_activities()

    def _check_state(self, *states):
        for request in self:
            if request.state not in states:
                raise UserError(
                    self.env._(
                        "%(request)s is “%(state)s”.",
                        request=request.display_name,
                        state=dict(self._fields["state"]._description_selection(self.env))[request.state],
                    )
                )

    def _check_may_end(self):
        self.check_access("read")
        user = self.env.user
        if not (
            user.has_group("channel_base.group_channel_pricing") or user.has_group("channel_base.group_channel_manager")
        ):
            raise AccessError(self.env._("Special prices are ended by Pricing or Channel Manager."))

    def _drop_reviews(self):
        """Close the validation: the journal keeps its steps."""
        # sudo: who decides need not be allowed to restart validations.
        self.sudo().filtered("review_ids").restart_validation()

    def _journal(self, action, **values):
        self.env["channel.audit.entry"]._record(action, self, **values)

    def _apply_to_quotation(self):
        """Give the quotation from which the request came the prices that were approved: that was the decision."""
        self.ensure_one()
        order = self.order_id
        holding = self.line_ids.filtered(lambda line: line._holds_for(order)) if order else self.line_ids.browse()
        if holding and order.state in ("draft", "sent"):
            lines = order.order_line.filtered(lambda line: line.product_id in holding.product_id)
            order._channel_update_prices(lines, self.env._("Special price %s", self.name))

    # === TELLING PEOPLE ===#

    def _ask_approvers(self):
        """An activity for everybody whose turn it is."""
        self._close_activities()
        for request in self:
            for user in request._approvers():
                request.activity_schedule(
                    ACTIVITY_TYPE,
                    user_id=user.id,
                    summary=self.env._("Special price for %s", request.member_id.name),
                )

    def _approvers(self):
        """Reviewers whose turn it is; without tiers one approver: in charge of the region, else of the company."""
        self.ensure_one()
        # sudo: who may approve, whoever asks
        request = self.sudo()
        if request.review_ids:
            return request.review_ids.filtered(lambda review: review.status == "pending").reviewer_ids
        approvers = request.env.ref(self._approval_group).all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        ) - request._approval_authors()
        region = request.member_id.channel_region_id
        in_charge = (region._people_in_charge() if region else approvers.browse()) & approvers
        of_company = self.company_id._channel_alert_user() & approvers
        return (in_charge or of_company or approvers.sorted("id"))[:1]

    def _close_activities(self):
        # sudo: the activities are others', the matter is settled
        self.sudo().activity_unlink([ACTIVITY_TYPE])

    def _tell(self, text):
        """Tell who asked what became of it: the salesperson, and who handed it in."""
        for request in self:
            # sudo: names of who is told
            request = request.sudo()
            partners = (request.user_id | request.submitted_by_id).partner_id
            if request.submitted_by_id.id == self.env.uid:
                partners -= self.env.user.partner_id
            request.message_post(body=text, partner_ids=partners.ids, subtype_xmlid="mail.mt_comment")

    def _alert_currency(self, table):
        """Approved prices that the member's new price table cannot take."""
        self.ensure_one()
        self.env["channel.alert"]._raise_alerts(
            "price_request.currency",
            [
                {
                    "key": self.name,
                    "name": self.env._(
                        "%(request)s is in %(currency)s, but %(member)s now has the price table %(table)s in %(other)s",
                        request=self.name,
                        currency=self.currency_id.name,
                        member=self.member_id.name,
                        table=table.display_name,
                        other=table.currency_id.name,
                    ),
                    "record": self,
                    "company": self.company_id,
                    "user": self.user_id,
                }
            ],
        )

    def _day(self, date):
        return format_date(self.env, date)

    # === JOBS ===#

    @api.model
    def _cron_close(self):
        """Close what is over, and journal it. Also gives rules back to a member whose price table has changed."""
        for company, requests in self.search([("state", "=", "approved")]).grouped("company_id").items():
            today = company._channel_today()
            over = requests.filtered(lambda request, today=today: request._last_day() < today)
            if over:
                over._decide("closed", {})
                over._journal(
                    "price_request.closed",
                    before={"state": "approved"},
                    after={
                        request.id: {
                            "state": "closed",
                            "last_day": request._last_day(),
                            "used": [
                                {"product": line.product_id.display_name, "used": line.used_quantity}
                                for line in request.line_ids
                            ],
                        }
                        for request in over
                    },
                )
            (requests - over).line_ids._follow_price_table()
