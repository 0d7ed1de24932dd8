from odoo.fields import Command

from odoo.addons.channel_member.tests.common import ChannelMemberCommon


class ChannelPricingCommon(ChannelMemberCommon):
    """Adds the price list ``table``, used by everybody, and three segments:

    * ``segment_hospital`` (sequence 10): the dealer, for the hospital
    * ``segment_dealer`` (sequence 20): the dealer, for anybody
    * ``segment_west`` (sequence 30): the other dealer
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["product.pricelist"].search([]).action_archive()
        cls.table = cls.env["product.pricelist"].create(
            {"name": "Test Table", "currency_id": cls.company.currency_id.id, "company_id": False, "sequence": 1}
        )
        cls.segment_hospital = cls._channel_segment("T-HOSP", 10, cls.dealer, cls.hospital)
        cls.segment_dealer = cls._channel_segment("T-DEAL", 20, cls.dealer)
        cls.segment_west = cls._channel_segment("T-WEST", 30, cls.other_dealer)

    @classmethod
    def _channel_segment(cls, code, sequence, member=None, customer=None):
        def domain(partner):
            return repr([("id", "=", partner.id)]) if partner else False

        return cls.env["channel.segment"].create(
            {
                "name": f"Segment {code}",
                "code": code,
                "sequence": sequence,
                "member_domain": domain(member),
                "customer_domain": domain(customer),
            }
        )

    @classmethod
    def _channel_rule(cls, price=None, product=None, segment=None, **values):
        """A rule of ``table``: a fixed price of a product, unless `values` say otherwise."""
        product = cls.device if product is None else product
        return cls.env["product.pricelist.item"].create(
            {
                "pricelist_id": cls.table.id,
                "product_tmpl_id": product.product_tmpl_id.id,
                "channel_segment_id": segment.id if segment else False,
                "compute_price": "fixed",
                "fixed_price": price,
                **values,
            }
        )

    @classmethod
    def _channel_price_limit(cls, price=None, kind="floor", product=None, approve=True, **values):
        """A limit of the price of a product, since ever; approved by the manager unless said otherwise.

        :param product: False for every product
        """
        product = cls.device if product is None else product
        return cls._channel_approved_limit(
            "channel.price.limit",
            approve,
            {
                "kind": kind,
                "price": price,
                "product_tmpl_id": product.product_tmpl_id.id if product else False,
                "date_from": False,
                **values,
            },
        )

    @classmethod
    def _channel_discount_limit(cls, position, approve=True, **values):
        """A limit of discount or margin of a position (``sales``, ``manager``, ...) for every product, since ever."""
        group = cls.env.ref(f"channel_base.group_channel_{position}")
        values = {"group_id": group.id, "date_from": False, "has_max_discount": "max_discount" in values, **values}
        return cls._channel_approved_limit("channel.discount.limit", approve, values)

    @classmethod
    def _channel_approved_limit(cls, model, approve, values):
        limit = cls.env[model].with_user(cls.user_pricing).create(values)
        if approve:
            limit.with_user(cls.user_manager).action_approve()
        return limit.with_env(cls.env)

    @classmethod
    def _channel_request(cls, lines, member=None, customer=None, approve=True, submit=True, user=None, **values):
        """A special price request by the salesperson; submitted and approved by the manager unless said otherwise.

        :param list lines: ``(product, quantity, price)``
        """
        request = (
            cls.env["channel.price.request"]
            .with_user(user or cls.user_sales)
            .create(
                {
                    "member_id": (member or cls.dealer).id,
                    "customer_id": customer.id if customer else False,
                    "reason": "Competition",
                    "line_ids": [
                        Command.create({"product_id": product.id, "quantity": quantity, "price": price})
                        for product, quantity, price in lines
                    ],
                    **values,
                }
            )
        )
        if submit or approve:
            request.action_submit()
        if approve:
            approver = cls.user_admin if request.env.user == cls.user_manager else cls.user_manager
            request.with_user(approver).action_approve()
        return request.with_env(cls.env)

    @classmethod
    def _channel_price_version(cls, valid_from, approve=True, table=None, **rules):
        """The next version of ``table``: the rules in force, changed.

        :param rules: ``name=price`` of rules in attributes of the test class (``rule_device=85``), found again by what
            they are about and for whom
        :param bool approve: by the manager; made by the user of Pricing
        """
        table = table or cls.table
        action = table.with_user(cls.user_pricing).action_new_version()
        version = cls.env["channel.price.version"].browse(action["res_id"]).with_user(cls.user_pricing)
        version.valid_from = valid_from
        for name, price in rules.items():
            cls._channel_same_rule(version, getattr(cls, name)).fixed_price = price
        if approve:
            version.with_user(cls.user_manager).action_approve()
        return version.with_env(cls.env)

    @classmethod
    def _channel_same_rule(cls, version, rule):
        """The rule of a version that stands where `rule` stands in another."""
        names = ("applied_on", "product_tmpl_id", "product_id", "categ_id", "min_quantity", "channel_segment_id",
                 "channel_member_id", "channel_customer_id", "date_start")  # fmt: skip
        return version.item_ids.filtered(lambda other: all(other[name] == rule[name] for name in names))

    def _quote(self, member=None, customer=None, product=None, quantity=1.0, **kwargs):
        """:returns: the answer for one product"""
        return self.env["channel.pricing"].quote(
            (member or self.dealer).id,
            [{"product_id": (product or self.device).id, "quantity": quantity}],
            customer_id=customer.id if customer else None,
            **kwargs,
        )[0]

    def _price(self, *args, **kwargs):
        return self._quote(*args, **kwargs)["price_unit"]
