from datetime import date as Date, datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, float_round, format_date, formatLang

from ..tools import Basket, RuleBook, break_quantity, in_own_unit

# Losing rules that a line lists one by one; the rest is counted
MAX_LOSERS = 12
# Rules of one product, or of one category, among which losers are looked for
MAX_RIVALS = 40
# What a dealer reads of its own price: no rule of others, no formula, no segment
PORTAL_STEPS = frozenset(
    {"pricelist", "won", "no_rule", "offer", "price", "taxes", "by_hand", "since", "line_discount", "net"}
)


class ChannelPricing(models.AbstractModel):
    _name = "channel.pricing"
    _description = "Channel Pricing"
    _inherit = ["channel.pricing.book.mixin"]

    # === PUBLIC METHODS ===#

    @api.model
    @api.readonly
    def quote(self, member_id, lines, customer_id=None, date=None, company_id=None, explain=True):
        """What products cost a member, and why; the same as on an order line and in the catalogue.

        :param int member_id: ``res.partner`` of the buyer (a contact stands for its company)
        :param list lines: ``[{'product_id': int, 'quantity': float = 1.0, 'uom_id': int = the product's unit}]``
        :param int customer_id: ``res.partner`` of the end customer, if the price may depend on it
        :param str date: ISO date (noon in the company's time zone) or ISO datetime in UTC; now when missing
        :param int company_id: the selling company; the current one when missing
        :param bool explain: False leaves ``steps`` empty, which is faster
        :returns: one dict for each line, in the same order::

                {'product_id': int, 'quantity': float, 'uom_id': int,
                 'price_unit': float,            # per unit of measure asked for, before tax, discount taken off
                 'currency': 'CNY', 'pricelist_id': int | False, 'pricelist_item_id': int | False,
                 'steps': [{'code': str, 'message': str, ...}]}

            Codes of steps: ``pricelist`` the table; ``version`` of it that is in force (``number``, ``valid_from``,
            ``valid_to``; only of a table that has versions; ``version_id`` False: none is); ``counted``
            the quantity by which breaks are decided, where lines are added up; ``segments`` that hold the pair;
            ``won`` the rule;
            ``lost`` a rule that names the product, with ``reason`` in ``member``, ``customer``, ``segment``,
            ``not_started``, ``ended``, ``quantity`` (does not hold), ``specificity``, ``party_priority``,
            ``segment_priority``, ``quantity_break``, ``category``, ``newer`` (holds, but is tried later);
            ``more`` a count of further losers; ``no_rule``; then how the amount comes about: ``fixed``, ``base``
            (with ``steps`` of its own when it is another table), ``discount``, ``rounding``, ``surcharge``,
            ``min_margin``, ``max_margin``; where offers are on the table ``policy`` (how they combine), ``offer_lost``
            and ``offer``, as ``channel.stacking.policy.combine`` has them, with ``rule_id``; what bounds it:
            ``special_price`` (how much is left of it), ``floor`` (for Pricing, managers and auditors), ``ceiling``,
            ``award``, each net and per the product's own unit; last ``price``.
            Portal users get table, winner, what was offered beside it and price only, without formulas.
        :rtype: list[dict]
        :raises AccessError: for a member that is not the portal user's own company, and users without a position
            in the channel
        :raises ValidationError: when an argument is missing, of the wrong type or names nothing
        """
        member, customer, company, moment = self._check_quote_parties(member_id, customer_id, date, company_id)
        portal = self._check_quote_access(member)
        # Price tables, segments and products are not the portal user's to read. He has been shown to be asking for
        # his own company, and gets prices and the winning rule's name only.
        pricing = (self.sudo() if portal else self).with_company(company)
        member, customer = member.with_env(pricing.env), customer.with_env(pricing.env)
        requests = pricing._check_quote_lines(lines)
        answers = pricing._price_lines(member, customer, requests, moment)
        if explain:
            pricing._explain_lines(member, customer, requests, answers, moment)
        return [
            {
                "product_id": product.id,
                "quantity": quantity,
                "uom_id": uom.id,
                "price_unit": answer["price"],
                "currency": answer["currency"].name,
                "pricelist_id": answer["pricelist"].id,
                "pricelist_item_id": answer["rule"].id,
                "steps": pricing._portal_steps(answer.get("steps", [])) if portal else answer.get("steps", []),
            }
            for (product, quantity, uom), answer in zip(requests, answers, strict=True)
        ]

    # === RESOLUTION ===#

    @api.model
    def _segments_of(self, member, customer):
        """The segments that hold this member and end customer.

        :returns: ``channel.segment``, empty when there is no member
        """
        Segment = self.env["channel.segment"]
        member = member and member._origin.commercial_partner_id
        if not member:
            return Segment
        customer = customer and customer._origin.commercial_partner_id
        # Which segments hold a buyer decides the price, also for users who may not read segments; what the caller may
        # do with the result is decided by his own rights.
        holds = Segment._match_sql(SQL("%s", member.id), SQL("%s", customer.id if customer else None))
        rows = self.env.execute_query(
            SQL("SELECT s.id FROM channel_segment s WHERE %s ORDER BY s.sequence, s.id", holds)
        )
        return Segment.browse([segment_id for [segment_id] in rows])

    @api.model
    def _dimensions_of(self, member, customer):
        """What a rule may name to hold for this pair.

        :returns: ``{column of the rule: ids}``, each beside "nobody in particular"
        """

        def ids(partner):
            return partner._origin.commercial_partner_id.ids if partner else []

        return {
            "channel_member_id": ids(member),
            "channel_customer_id": ids(customer),
            "channel_segment_id": self._segments_of(member, customer).ids,
        }

    @api.model
    def _rules_of_parties_domain(self, member, customer):
        return Domain.AND(
            Domain(column, "in", [False, *ids]) for column, ids in self._dimensions_of(member, customer).items()
        )

    @api.model
    def _pricelists_of(self, members, date):
        """The price list of each member in the current company at a moment.

        :param members: ``res.partner``
        :param datetime date: UTC
        :returns: ``{member_id: product.pricelist}``, empty where price lists are not used
        """
        return {member.id: member.property_product_pricelist for member in members}

    def _price_lines(self, member, customer, requests, moment):
        """Prices of `requests`, a list of ``(product, quantity, uom)``, in a number of queries that does not
        depend on its length.

        :returns: list of dicts with ``price``, ``rule``, ``pricelist``, ``currency``
        """
        pricelist = self._pricelists_of(member, moment)[member.id]
        currency = pricelist.currency_id or self.env.company.currency_id
        keywords = self._quote_keywords(member, customer, requests, moment)
        answers = []
        for product, quantity, uom in requests:
            price, rule_id = pricelist._compute_price_rule(
                product, quantity, currency=currency, uom=uom, date=moment, **keywords
            )[product.id]
            answers.append(
                {
                    "price": price,
                    "rule": self.env["product.pricelist.item"].browse(rule_id or []),
                    "pricelist": pricelist,
                    "currency": currency,
                }
            )
        return answers

    def _quote_keywords(self, member, customer, requests, moment, basket=None):
        """:param Basket basket: what is bought together; by default the requests"""
        products = self.env["product.product"].union(*(product for product, *_rest in requests))
        parties = {"member": member.commercial_partner_id, "customer": customer.commercial_partner_id}
        quantities = [(product.id, in_own_unit(product, quantity, uom)) for product, quantity, uom in requests]
        basket = basket or Basket(
            lambda: [(product, in_own_unit(product, quantity, uom)) for product, quantity, uom in requests]
        )
        return {**parties, "rule_book": RuleBook(products, moment, quantities, basket=basket, **parties)}

    # === ARGUMENTS ===#

    @api.model
    def _check_quote_access(self, member):
        """:returns: whether the user is on the portal, where only the own company may be asked for"""
        user = self.env.user
        if self.env.su or user.has_group("channel_base.group_channel_user"):
            # Regional users see members of their regions only: the record rules of partners decide
            member.check_access("read")
            return False
        if user._is_portal() and member.commercial_partner_id == user.commercial_partner_id:
            return True
        raise AccessError(self.env._("You may ask for prices of your own company only."))

    @api.model
    def _check_quote_parties(self, member_id, customer_id, date, company_id):
        member = self._existing("res.partner", "member_id", member_id)
        customer = self._existing("res.partner", "customer_id", customer_id) if customer_id else self.env["res.partner"]
        company = self._existing("res.company", "company_id", company_id) if company_id else self.env.company
        if not self.env.su and company not in self.env.user.company_ids:
            raise AccessError(self.env._("company_id: you have no access to company %s.", company_id))
        return member, customer, company, self._moment(date, company)

    @api.model
    def _existing(self, model, argument, value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(
                self.env._(
                    "%(argument)s: expected the id of a %(model)s, got %(value)r.",
                    argument=argument,
                    model=model,
                    value=value,
                )
            )
        # Whether the id exists is no secret, what is behind it is: access is checked where it is read
        record = self.env[model].browse(value)
        if not record.sudo().exists():
            raise ValidationError(
                self.env._(
                    "%(argument)s: there is no %(model)s with id %(value)s.",
                    argument=argument,
                    model=model,
                    value=value,
                )
            )
        return record

    @api.model
    def _moment(self, value, company):
        """The moment (UTC, without zone, as in the database) for which a price is asked."""
        if not value:
            return fields.Datetime.now()
        try:
            if isinstance(value, datetime):
                return value
            if isinstance(value, Date) or len(value) == 10:
                day = fields.Date.to_date(value)
                # sudo: the time zone of the company's own partner is no secret
                zone = pytz.timezone(company.sudo().partner_id.tz or self.env.user.tz or "UTC")
                local = zone.localize(datetime.combine(day, time(12)))
                return local.astimezone(pytz.utc).replace(tzinfo=None)
            return fields.Datetime.to_datetime(value)
        except (TypeError, ValueError):
            raise ValidationError(
                self.env._("date: %r is not an ISO date (2026-03-31) or datetime (2026-03-31 08:00:00).", value)
            ) from None

    @api.model
    def _check_quote_lines(self, lines):
        """:returns: list of ``(product, quantity, uom)``, in the order of `lines`"""
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise ValidationError(self.env._("lines: expected a list of {'product_id': …, 'quantity': …}."))
        allowed = {"product_id", "quantity", "uom_id"}
        for number, line in enumerate(lines, 1):
            if unknown := line.keys() - allowed:
                raise ValidationError(
                    self.env._(
                        "Line %(number)s: unknown key %(key)s; known are %(known)s.",
                        number=number,
                        key=", ".join(sorted(unknown)),
                        known=", ".join(sorted(allowed)),
                    )
                )
            for key in ("product_id", "uom_id"):
                value = line.get(key)
                if (key == "product_id" or value) and (isinstance(value, bool) or not isinstance(value, int)):
                    raise ValidationError(
                        self.env._(
                            "Line %(number)s: %(key)s must be an id, got %(value)r.",
                            number=number,
                            key=key,
                            value=value,
                        )
                    )
            quantity = line.get("quantity", 1.0)
            if isinstance(quantity, bool) or not isinstance(quantity, (int, float)) or not 0 < quantity < float("inf"):
                raise ValidationError(
                    self.env._(
                        "Line %(number)s: quantity must be a number above 0, got %(value)r.",
                        number=number,
                        value=quantity,
                    )
                )
        products = self.env["product.product"].browse({line["product_id"] for line in lines}).exists()
        products = products.filtered(lambda p: not p.company_id or p.company_id == self.env.company)
        uoms = self.env["uom.uom"].browse({line["uom_id"] for line in lines if line.get("uom_id")}).exists()
        product_by_id = {product.id: product for product in products}
        uom_by_id = {uom.id: uom for uom in uoms}
        requests = []
        for number, line in enumerate(lines, 1):
            product = product_by_id.get(line["product_id"])
            if product is None:
                raise ValidationError(
                    self.env._(
                        "Line %(number)s: there is no product with id %(value)s in this company.",
                        number=number,
                        value=line["product_id"],
                    )
                )
            uom = uom_by_id.get(line["uom_id"]) if line.get("uom_id") else product.uom_id
            if uom is None:
                raise ValidationError(
                    self.env._(
                        "Line %(number)s: there is no unit of measure with id %(value)s.",
                        number=number,
                        value=line["uom_id"],
                    )
                )
            if not uom._has_common_reference(product.uom_id):
                raise ValidationError(
                    self.env._(
                        "Line %(number)s: %(product)s is sold in %(expected)s, which cannot be converted to %(uom)s.",
                        number=number,
                        product=product.display_name,
                        expected=product.uom_id.name,
                        uom=uom.name,
                    )
                )
            requests.append((product, float(line.get("quantity", 1.0)), uom))
        return requests

    # === EXPLANATION ===#

    def _explain_lines(self, member, customer, requests, answers, moment, basket=None):
        """Add ``steps`` to each answer of `_price_lines`."""
        keywords = self._quote_keywords(member, customer, requests, moment, basket)
        segments = self._segments_of(member, customer)
        for (product, quantity, uom), answer in zip(requests, answers, strict=True):
            pricelist, currency = answer["pricelist"], answer["currency"]
            answer["steps"] = [
                *self._explain_table(pricelist, segments, keywords["member"], keywords["customer"]),
                *self._explain_price(
                    pricelist, answer["rule"], product, quantity, uom, currency, moment, segments, keywords
                ),
                {
                    "code": "price",
                    "amount": answer["price"],
                    "currency": currency.name,
                    "message": self.env._(
                        "Price: %(amount)s per %(uom)s",
                        amount=self._amount(answer["price"], currency),
                        uom=uom.name,
                    ),
                },
            ]
        bounds = self._explain_limits(keywords["member"], keywords["customer"], requests, answers, moment)
        for answer, steps in zip(answers, bounds, strict=True):
            answer["steps"][-1:-1] = steps

    def _explain_limits(self, member, customer, requests, answers, moment):
        """What bounds the prices of `answers`.

        :returns: a list of steps for each of them
        """
        company = self.env.company
        Limit = self.env["channel.price.limit"]
        found = Limit._limits_of(
            [
                {
                    "member_id": member.id,
                    "customer_id": customer.id,
                    "product_id": product.id,
                    "date": company._channel_date(moment),
                    "company_id": company.id,
                }
                for product, _quantity, _uom in requests
            ],
            "kind",
        )
        Finding = self.env["channel.gate.finding"]
        secrets = Finding._has_field_access(Finding._fields["figures"], "read")
        bounds = []
        for (product, _quantity, _uom), answer, limits in zip(requests, answers, found, strict=True):
            steps = []
            # sudo: what is left of the special price that the caller is told
            special = answer["rule"].sudo().channel_request_line_id
            if special:
                steps.append(
                    {
                        "code": "special_price",
                        "reference": special.request_id.name,
                        "remaining": special.remaining_quantity,
                        "message": self.env._(
                            "Special price %(reference)s until %(date)s: %(left)s left of %(quantity)s",
                            reference=special.request_id.name,
                            date=format_date(self.env, special.request_id._last_day()),
                            left=self._number(special.remaining_quantity),
                            quantity=self._number(special.quantity),
                        ),
                    }
                )
            for kind, limit in limits.items():
                if kind == "floor" and not secrets:
                    continue
                amount, currency = limit._price_for(product, company)
                steps.append(
                    {
                        "code": kind,
                        "limit_id": limit.id,
                        "amount": amount,
                        "currency": currency.name,
                        "message": limit._in_words(amount, currency),
                    }
                )
            bounds.append(steps)
        return bounds

    def _explain_table(self, pricelist, segments, member, customer):
        if pricelist:
            yield {
                "code": "pricelist",
                "pricelist_id": pricelist.id,
                "message": self.env._("Price table: %s", pricelist.display_name),
            }
        names = ", ".join(segments.mapped("name"))
        parties = f"{member.name} / {customer.name}" if customer else member.name
        yield {
            "code": "segments",
            "segments": segments.mapped("code"),
            "message": self.env._("%(parties)s: in segment %(names)s", parties=parties, names=names)
            if segments
            else self.env._("%s: in no segment", parties),
        }

    def _explain_version(self, pricelist, rule_book):
        if not pricelist.channel_is_versioned:
            return []
        version = rule_book.version(pricelist)
        return [
            {
                "code": "version",
                "version_id": version.id,
                "number": version.number,
                "valid_from": fields.Date.to_string(version.valid_from),
                "valid_to": fields.Date.to_string(version.valid_to),
                "message": self.env._(
                    "Version %(number)s, in force from %(date)s",
                    number=version.number,
                    date=format_date(self.env, version.valid_from),
                )
                if version
                else self.env._("No version of the price table is in force on that day"),
            }
        ]

    def _explain_count(self, pricelist, product, quantity):
        scopes = dict(pricelist._fields["channel_break_scope"]._description_selection(self.env))
        return {
            "code": "counted",
            "scope": pricelist.channel_break_scope,
            "quantity": float(quantity),
            "message": self.env._(
                "Counted for quantity breaks: %(quantity)s %(uom)s (%(scope)s)",
                quantity=self._number(quantity),
                uom=product.uom_id.name,
                scope=scopes[pricelist.channel_break_scope],
            ),
        }

    def _explain_price(self, pricelist, rule, product, quantity, uom, currency, moment, segments, keywords):
        """How the choice and the amount of one price came about.

        :param rule: the rule that core chose (empty: none holds)
        """
        base_quantity = uom._compute_quantity(quantity, product.uom_id, raise_if_failure=False)
        steps = []
        if pricelist:
            own_quantity, rule_book = base_quantity, keywords["rule_book"]
            base_quantity = rule_book.counted(pricelist, product, own_quantity)
            steps += self._explain_version(pricelist, rule_book)
            if base_quantity is not own_quantity:
                steps.append(self._explain_count(pricelist, product, base_quantity))
        if rule:
            steps.append(
                {
                    "code": "won",
                    "rule_id": rule.id,
                    "segment": rule.channel_segment_id.code or False,
                    "message": self.env._("Applied: %s", self._rule_words(rule)),
                }
            )
        else:
            steps.append(
                {"code": "no_rule", "message": self.env._("No rule holds: the sales price of the product applies")}
            )
        steps += self._explain_losers(pricelist, rule, product, base_quantity, moment, segments, keywords)
        steps += self._explain_amount(rule, product, quantity, uom, currency, moment, segments, keywords)
        if pricelist and (offers := keywords["rule_book"].offers(pricelist)):
            steps += self._explain_offers(offers, rule, product, quantity, uom, currency, moment, keywords)
        return steps

    def _explain_losers(self, pricelist, winner, product, quantity, moment, segments, keywords):
        if not pricelist:
            return []
        rivals, complete = keywords["rule_book"].about(pricelist, product, MAX_RIVALS)
        runner_up = keywords["rule_book"].runner_up(pricelist, product, quantity)
        losers = [*runner_up, *(rule for rule in rivals if rule not in (winner, runner_up))]
        steps = [
            self._explain_loser(rule, winner, quantity, moment, segments, keywords) for rule in losers[:MAX_LOSERS]
        ]
        if len(losers) > MAX_LOSERS or not complete:
            count = max(len(losers) - MAX_LOSERS, 1)
            message = (
                self.env._("%s further rules did not apply", count)
                if complete
                else self.env._("More than %s further rules did not apply", count)
            )
            steps.append({"code": "more", "count": count, "complete": complete, "message": message})
        return steps

    def _explain_loser(self, rule, winner, quantity, moment, segments, keywords):
        reason, why = self._why_lost(rule, winner, quantity, moment, segments, keywords)
        return {
            "code": "lost",
            "rule_id": rule.id,
            "segment": rule.channel_segment_id.code or False,
            "reason": reason,
            "message": self.env._("Not applied: %(rule)s (%(why)s)", rule=self._rule_words(rule), why=why),
        }

    def _why_lost(self, rule, winner, quantity, moment, segments, keywords):
        """:returns: ``(code, words)``"""
        member, customer = keywords["member"], keywords["customer"]
        if rule.channel_member_id and rule.channel_member_id != member:
            return "member", self.env._("for another member")
        if rule.channel_customer_id and rule.channel_customer_id != customer:
            return "customer", self.env._("for another end customer")
        if rule.channel_segment_id and rule.channel_segment_id not in segments:
            return "segment", self.env._("not in segment %s", rule.channel_segment_id.name)
        if rule.date_start and rule.date_start > moment:
            return "not_started", self.env._("starts on %s", fields.Date.to_string(rule.date_start))
        if rule.date_end and rule.date_end < moment:
            return "ended", self.env._("ended on %s", fields.Date.to_string(rule.date_end))
        if rule.min_quantity and break_quantity(quantity, rule.categ_id.id) < rule.min_quantity:
            return "quantity", self.env._("from a quantity of %s", self._number(rule.min_quantity))
        if rule.applied_on != winner.applied_on:
            return "specificity", self.env._("the applied rule is more specific")
        if rule.channel_rank != winner.channel_rank:
            return "party_priority", self.env._("the applied rule names the parties more closely")
        if rule.channel_segment_sequence != winner.channel_segment_sequence:
            return "segment_priority", self.env._("the segment of the applied rule comes first")
        if rule.min_quantity != winner.min_quantity:
            return "quantity_break", self.env._("the applied rule is for a larger quantity")
        if rule.categ_id != winner.categ_id:
            return "category", self.env._("another category comes first")
        return "newer", self.env._("the applied rule is newer")

    def _explain_amount(self, rule, product, quantity, uom, currency, moment, segments, keywords):
        """The arithmetic of `product.pricelist.item._compute_price`, told step by step.

        The last amount is the price; a test holds this method and core together.
        """

        def convert(price):
            return product.uom_id._compute_price(price, uom) if product.uom_id != uom else price

        def step(code, amount, message, **more):
            return {
                "code": code,
                "amount": amount,
                "message": f"{message} → {self._amount(amount, currency)}",
                **more,
            }

        if rule.compute_price == "fixed":
            return [step("fixed", convert(rule.fixed_price), self.env._("Fixed price"))]
        base = rule._compute_base_price(product, quantity, uom, moment, currency, **keywords)
        steps = [step("base", base, self._base_words(rule))]
        if rule.base == "pricelist" and rule.base_pricelist_id:
            table = rule.base_pricelist_id
            inner_rule = self.env["product.pricelist.item"].browse(
                table._get_product_rule(product, quantity, uom=uom, date=moment, **keywords) or []
            )
            steps[0]["steps"] = self._explain_price(
                table, inner_rule, product, quantity, uom, table.currency_id, moment, segments, keywords
            )
        if rule.compute_price == "percentage":
            if rule.percent_price:
                amount = base - base * (rule.percent_price / 100)
                steps.append(step("discount", amount, self.env._("Discount %s %%", self._number(rule.percent_price))))
        elif rule.compute_price == "formula":
            steps += self._explain_formula(rule, base, convert, step)
        return steps

    def _explain_offers(self, offers, rule, product, quantity, uom, currency, moment, keywords):
        """What the offers of a version take off: first those that do not count, then those that do, in order."""
        policy = offers.version_id.stacking_policy_id
        rules = offers._rules_of(rule, product, quantity, uom, keywords["rule_book"])
        price = rule._compute_price(
            product, quantity, uom, moment, currency, **{**keywords, "offers_on": False}
        )
        result = offers._combine_on(price, rules, product, quantity, uom, currency, moment, **keywords)
        yield {
            "code": "policy",
            "policy_id": policy.id,
            "message": self.env._("Offers combine by %s", policy.name)
            if result
            else self.env._("No offer holds for the product"),
        }
        names = {offer.id: offer.offer_pricelist_id.name for offer in offers}
        for step in sorted(result.steps if result else (), key=lambda step: not step.reason):
            told = policy._step_words(step, currency, names)
            if step.reason:
                # Nothing is left "after" an offer that does not count
                del told["amount"]
            yield {**told, "rule_id": rules[offers.browse(step.offer.key)].id}

    def _explain_formula(self, rule, base, convert, step):
        percent = rule.price_discount if rule.base != "standard_price" else -rule.price_markup
        amount = base - base * (percent / 100)
        if percent > 0:
            yield step("discount", amount, self.env._("Discount %s %%", self._number(percent)))
        elif percent < 0:
            yield step("discount", amount, self.env._("Markup %s %%", self._number(-percent)))
        if rule.price_round:
            amount = float_round(amount, precision_rounding=rule.price_round)
            yield step("rounding", amount, self.env._("Rounded to a multiple of %s", self._number(rule.price_round)))
        if rule.price_surcharge:
            amount += convert(rule.price_surcharge)
            yield step("surcharge", amount, self.env._("Extra fee %s", self._number(convert(rule.price_surcharge))))
        if rule.price_min_margin and amount < (least := base + convert(rule.price_min_margin)):
            amount = least
            yield step(
                "min_margin", amount, self.env._("At least %s above the base", self._number(rule.price_min_margin))
            )
        if rule.price_max_margin and amount > (most := base + convert(rule.price_max_margin)):
            amount = most
            yield step(
                "max_margin", amount, self.env._("At most %s above the base", self._number(rule.price_max_margin))
            )

    @api.model
    def _portal_steps(self, steps):
        """What a dealer reads of the steps of its own price."""
        told = []
        for step in steps:
            if step["code"] not in PORTAL_STEPS:
                continue
            kept = {key: step[key] for key in ("code", "message", "amount", "currency") if key in step}
            if step["code"] == "won":
                kept["message"] = self._portal_rule_words(
                    self.env["product.pricelist.item"].browse(step["rule_id"])
                )
            told.append(kept)
        return told

    def _portal_rule_words(self, rule):
        """A rule as a dealer may read it: no segment, no base, no margin."""
        if rule.compute_price == "fixed":
            words = [self.env._("Your price for %s", rule.name)]
        elif rule.compute_price == "percentage" and rule.base == "list_price" and rule.percent_price > 0:
            words = [self.env._(
                "Your discount for %(products)s: %(percent)s %% off the list price",
                products=rule.name, percent=self._number(rule.percent_price),
            )]
        else:
            words = [self.env._("Your terms for %s", rule.name)]
        if rule.min_quantity:
            words.append(self.env._("from %s", self._number(rule.min_quantity)))
        if rule.date_end:
            words.append(self.env._("until %s", format_date(self.env, rule.date_end)))
        return ", ".join(words)

    # === WORDS ===#

    def _base_words(self, rule):
        if rule.base == "pricelist" and rule.base_pricelist_id:
            return self.env._("Base: price table %s", rule.base_pricelist_id.display_name)
        if rule.base == "standard_price":
            return self.env._("Base: cost of the product")
        return self.env._("Base: sales price of the product")

    def _rule_words(self, rule):
        words = [rule.name, rule.price]
        if rule.channel_segment_id:
            words.append(self.env._("segment %s", rule.channel_segment_id.name))
        if rule.min_quantity:
            words.append(self.env._("from %s", self._number(rule.min_quantity)))
        return ", ".join(words)

    def _amount(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency, dp="Product Price")

    def _number(self, value):
        return f"{value:g}"
