from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER

from .channel_price_change import COST_GROUPS


class ChannelPriceVersionChangeMixin(models.AbstractModel):
    """What a version changes: rule by rule, and in figures by which approvals can be decided.

    Worked out on demand and before each request or approval (:meth:`_refresh_preview`), then kept: what the approvers
    saw stays with the version. A change of its rules takes it back (`preview_at` empty).
    """

    _name = "channel.price.version.change.mixin"
    _description = "Changes of a Price Table Version"

    preview_at = fields.Datetime(string="Compared on", readonly=True, copy=False)
    rules_edited_at = fields.Datetime(string="Rules Changed on", readonly=True, copy=False)
    compared_with_id = fields.Many2one(
        "channel.price.version", string="Compared with", readonly=True, copy=False, ondelete="set null"
    )
    change_ids = fields.One2many("channel.price.change", "version_id", string="Changed Rules", readonly=True)
    added_count = fields.Integer(string="Rules Added", readonly=True, copy=False, aggregator=None)
    changed_count = fields.Integer(string="Rules Changed", readonly=True, copy=False, aggregator=None)
    removed_count = fields.Integer(string="Rules Removed", readonly=True, copy=False, aggregator=None)
    incomparable_count = fields.Integer(
        string="Not Comparable",
        readonly=True,
        copy=False,
        aggregator=None,
        help="Changed rules of which nobody can say by how many per cent the price changes, for example a formula for "
        "a whole category that takes the place of a fixed price.",
    )
    largest_increase = fields.Float(
        string="Largest Increase (%)", digits=(16, 2), readonly=True, copy=False, aggregator=None
    )
    largest_decrease = fields.Float(
        string="Largest Decrease (%)", digits=(16, 2), readonly=True, copy=False, aggregator=None
    )
    lowest_margin = fields.Float(
        string="Lowest Margin (%)",
        digits=(16, 2),
        readonly=True,
        copy=False,
        aggregator=None,
        default=100.0,
        groups=COST_GROUPS,
        help="Of the added and changed rules that are about one product, over its cost of today. 100 when no cost is "
        "known.",
    )

    # === ACTION METHODS ===#

    def action_refresh_preview(self):
        """Work out what the drafts change."""
        self.check_access("read")
        for version in self:
            if version.state != "draft":
                raise UserError(
                    self.env._(
                        "%s is not a draft any more: what it changed was worked out before it was approved.",
                        version.display_name,
                    )
                )
        self._refresh_preview()
        return True

    def action_open_changes(self):
        self.ensure_one()
        self._refresh_preview(stale_only=True)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_change_action"),
            "name": self.env._("Changes of %s", self.display_name),
            "domain": [("version_id", "=", self.id)],
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _preview_fields(self):
        """Names of the fields that `_refresh_preview` fills."""
        return {
            "preview_at", "rules_edited_at", "compared_with_id", "change_ids", "added_count", "changed_count",
            "removed_count", "incomparable_count", "largest_increase", "largest_decrease", "lowest_margin",
            *self._effect_fields(),
        }  # fmt: skip

    def _preview_values(self):
        """The figures, for the journal."""
        self.ensure_one()
        return {
            name: self[name]
            for name in (
                "added_count", "changed_count", "removed_count", "incomparable_count", "largest_increase",
                "largest_decrease", "lowest_margin", "effect_before", "effect_after",
            )
        }  # fmt: skip

    def _refresh_preview(self, stale_only=False):
        """Work out what drafts change, and what that means.

        :param bool stale_only: leave drafts alone whose rules have not changed since the last time
        """
        # sudo: whoever approves need not see every rule or cost, nor write; figures and copies of rules are stored,
        # which have access rights of their own
        for version in self.sudo():
            if version.state == "draft" and not (stale_only and version.preview_at):
                before = version._version_previous()
                _APPROVER.open(version).write(
                    {
                        "compared_with_id": before.id,
                        "preview_at": fields.Datetime.now(),
                        **version._compare_rules(before),
                        **version._compute_effect(before),
                    }
                )

    def _compare_rules(self, before):
        """Write the changed rules anew.

        :param before: the version to compare with, may be empty
        :returns: values of the figures
        """
        self.ensure_one()
        Item, Change = self.env["product.pricelist.item"], self.env["channel.price.change"]
        self.env.flush_all()
        cr = self.env.cr
        cr.execute(SQL("DELETE FROM channel_price_change WHERE version_id = %s", self.id))
        rules = SQL(
            """
            SELECT item.*, %(key)s AS key, %(terms)s AS terms,
                   row_number() OVER (PARTITION BY item.channel_version_id, %(key)s ORDER BY item.id) AS nth,
                   CASE compute_price
                        WHEN 'fixed' THEN fixed_price
                   END AS price,
                   -- Per cent of the base that is paid, where nothing else counts
                   CASE WHEN compute_price = 'percentage' THEN 100 - COALESCE(percent_price, 0)
                        WHEN compute_price = 'formula' AND COALESCE(price_round, 0) = 0
                             AND COALESCE(price_surcharge, 0) = 0 AND COALESCE(price_min_margin, 0) = 0
                             AND COALESCE(price_max_margin, 0) = 0
                        THEN 100 - CASE base WHEN 'standard_price' THEN -COALESCE(price_markup, 0)
                                             ELSE COALESCE(price_discount, 0) END
                   END AS percent_paid,
                   ROW(base, CASE base WHEN 'pricelist' THEN base_pricelist_id END)::text AS base_text
              FROM product_pricelist_item item
            """,
            key=Item._channel_key_sql("item"),
            terms=Item._channel_terms_sql("item"),
        )
        cr.execute(
            SQL(
                """
                INSERT INTO channel_price_change (
                    version_id, kind, before_id, after_id, product_tmpl_id, product_id, categ_id, segment_id,
                    member_id, customer_id, min_quantity, price_before, price_after, is_comparable, change
                )
                SELECT %(version)s,
                       CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed' ELSE 'changed' END,
                       old.id, new.id,
                       COALESCE(new.product_tmpl_id, old.product_tmpl_id), COALESCE(new.product_id, old.product_id),
                       COALESCE(new.categ_id, old.categ_id),
                       COALESCE(new.channel_segment_id, old.channel_segment_id),
                       COALESCE(new.channel_member_id, old.channel_member_id),
                       COALESCE(new.channel_customer_id, old.channel_customer_id),
                       COALESCE(new.min_quantity, old.min_quantity), old.price, new.price,
                       COALESCE(
                           new.base_text = old.base_text AND new.percent_paid IS NOT NULL AND old.percent_paid <> 0,
                           FALSE
                       ),
                       CASE WHEN new.base_text = old.base_text AND old.percent_paid <> 0
                            THEN 100 * (new.percent_paid / old.percent_paid - 1) END
                  FROM (%(rules)s WHERE item.channel_version_id = %(before)s) AS old
             FULL JOIN (%(rules)s WHERE item.channel_version_id = %(version)s) AS new
                    ON new.key = old.key AND new.nth = old.nth
                 WHERE new.terms IS DISTINCT FROM old.terms
              ORDER BY COALESCE(new.id, old.id)
                """,
                version=self.id,
                before=before.id or 0,
                rules=rules,
            )
        )
        Change.invalidate_model()
        self._price_changes()
        return self._change_figures()

    def _price_changes(self):
        """Fill in the prices of changed rules, by how much they differ, and the margin."""
        moment = self._preview_moment()
        cr = self.env.cr
        open_rules = [
            rule_id
            for [rule_id] in self.env.execute_query(
                SQL(
                    """
                    SELECT rule.id
                      FROM channel_price_change change
                      JOIN product_pricelist_item rule ON rule.id IN (change.before_id, change.after_id)
                     WHERE change.version_id = %s AND rule.compute_price <> 'fixed'
                       AND rule.applied_on IN ('0_product_variant', '1_product')
                     ORDER BY rule.id
                    """,
                    self.id,
                )
            )
        ]
        prices = self.env["product.pricelist.item"].browse(open_rules)._channel_own_prices(moment)
        if prices:
            cr.execute(
                SQL(
                    """
                    WITH found AS (SELECT * FROM unnest(%(ids)s::int[], %(prices)s::float8[]) AS found(id, price))
                    UPDATE channel_price_change change
                       SET price_before = COALESCE(old.price, self.price_before),
                           price_after = COALESCE(new.price, self.price_after)
                      FROM channel_price_change self
                 LEFT JOIN found old ON old.id = self.before_id
                 LEFT JOIN found new ON new.id = self.after_id
                     WHERE self.id = change.id AND change.version_id = %(version)s
                    """,
                    ids=list(prices),
                    prices=list(prices.values()),
                    version=self.id,
                )
            )
        company, currency = self._company(), self.pricelist_id.currency_id
        cr.execute(
            SQL(
                """
                UPDATE channel_price_change change
                   SET is_comparable = self.is_comparable
                                       OR COALESCE(self.price_before <> 0 AND self.price_after IS NOT NULL, FALSE),
                       change = CASE WHEN self.price_before <> 0 AND self.price_after IS NOT NULL
                                     THEN 100 * (self.price_after / self.price_before - 1)
                                     ELSE COALESCE(self.change, 0) END,
                       has_margin = COALESCE(cost.amount > 0 AND self.price_after > 0, FALSE),
                       margin = CASE WHEN cost.amount > 0 AND self.price_after > 0
                                     THEN 100 * (1 - cost.amount / self.price_after) END
                  FROM channel_price_change self
             LEFT JOIN LATERAL (
                        -- The dearest variant: the margin is that much or more
                        SELECT MAX((product.standard_price ->> %(company)s)::float8) * %(rate)s AS amount
                          FROM product_product product
                         WHERE product.product_tmpl_id = self.product_tmpl_id AND product.active
                           AND (self.product_id IS NULL OR product.id = self.product_id)
                       ) AS cost ON TRUE
                 WHERE self.id = change.id AND change.version_id = %(version)s
                """,
                version=self.id,
                company=str(company.id),
                rate=company.currency_id._get_conversion_rate(company.currency_id, currency, company, moment.date()),
            )
        )

    def _change_figures(self):
        [[added, changed, removed, incomparable, increase, decrease, margin]] = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(*) FILTER (WHERE kind = 'added'), COUNT(*) FILTER (WHERE kind = 'changed'),
                       COUNT(*) FILTER (WHERE kind = 'removed'),
                       COUNT(*) FILTER (WHERE kind = 'changed' AND NOT is_comparable),
                       GREATEST(MAX(change) FILTER (WHERE kind = 'changed'), 0),
                       GREATEST(-MIN(change) FILTER (WHERE kind = 'changed'), 0),
                       MIN(margin) FILTER (WHERE kind <> 'removed')
                  FROM channel_price_change
                 WHERE version_id = %s
                """,
                self.id,
            )
        )
        return {
            "added_count": added,
            "changed_count": changed,
            "removed_count": removed,
            "incomparable_count": incomparable,
            "largest_increase": increase or 0.0,
            "largest_decrease": decrease or 0.0,
            "lowest_margin": 100.0 if margin is None else margin,
        }

    def _preview_moment(self):
        """The moment for which prices of the version are compared: noon of its first day, or now if that is past."""
        self.ensure_one()
        start = self.env["channel.pricing"]._moment(self.valid_from, self._company())
        return max(start, fields.Datetime.now())

    def _rule_differences(self):
        """The changed rules as `difference` gives them."""
        self.ensure_one()
        changes = self.env["channel.price.change"].search([("version_id", "=", self.id)])
        label = self._label("item_ids")
        differences = []
        for change in changes:
            names = [
                change.name,
                # sudo: names only, of what a rule that the user reads is about
                *(change[field].sudo().display_name for field in ("segment_id", "member_id", "customer_id")),
                f"≥ {change.min_quantity:g}" if change.min_quantity else None,
            ]
            key = " / ".join(filter(None, names))
            differences.append(
                {
                    "path": f"item_ids[{key}]",
                    "label": f"{label}: {key}",
                    "before": change.words_before or None,
                    "after": change.words_after or None,
                }
            )
        return differences
