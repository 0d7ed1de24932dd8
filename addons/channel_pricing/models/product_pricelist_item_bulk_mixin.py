from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.work_table import drop_work_tables, make_work_table, work_table

# An Integer column of Odoo holds 0, never NULL, for "no value": rules without a segment carry the greatest
# integer, so that they are tried after those of every segment.
NO_SEGMENT_SEQUENCE = 2**31 - 1
# The rank of a rule that names neither member nor end customer
NO_PARTY_RANK = 3

#: Columns of a rule that say what it makes of a price, with their types; those of other kinds are emptied
TERM_COLUMNS = {
    "fixed_price": "numeric", "percent_price": "float8", "base": "varchar", "base_pricelist_id": "int",
    "price_discount": "numeric", "price_round": "numeric", "price_surcharge": "numeric", "price_min_margin": "numeric",
    "price_max_margin": "numeric",
}
#: Stored computed fields that the statement fills itself
FILLED = {"company_id", "currency_id", "price_markup", "channel_rank", "channel_segment_sequence"}


class ProductPricelistItemBulkMixin(models.AbstractModel):
    """Rules written by the ten thousand: files and the grid hand over what they have checked, in one relation.

    Inherited by ``product.pricelist.item``, whose ``create`` takes two milliseconds for each rule.
    """

    _name = "product.pricelist.item.bulk.mixin"
    _description = "Price Rules Written in Bulk"

    @api.model
    def _channel_check_target(self, pricelist, version):
        """Refuse unless the user may change the rules of a draft version, or of a table without versions; lock it.

        :raise AccessError: the user may not change price rules
        :raise UserError: the version is not an open draft, or the table has versions and none is named
        """
        self.check_access("create")
        self.check_access("write")
        self.check_access("unlink")
        pricelist.check_access("read")
        target = version or pricelist
        # Whoever writes the same rules at once takes turns
        target.lock_for_update(allow_referencing=True)
        target.invalidate_recordset()
        # Not saved: carries the questions that any rule at this place is asked
        probe = self.new({"pricelist_id": pricelist.id, "channel_version_id": version.id, "fixed_price": 0})
        probe._check_version_open()
        if pricelist.channel_is_versioned and not version:
            raise UserError(
                self.env._(
                    "%s has versions: choose the draft version that takes the prices, or make one.",
                    pricelist.display_name,
                )
            )

    @api.model
    def _channel_take_lines(self, pricelist, version, lines):
        """Add, change and remove rules of a version, or of a table without versions, in three statements.

        The caller has called :meth:`_channel_check_target` and checked the values as this model's constraints would.

        :param SQL lines: ``(kind, rule_id, applied_on, product_id, product_tmpl_id, categ_id, segment_id, member_id,
            customer_id, min_quantity, date_start, after)``; ``kind`` is ``new``, ``changed`` or ``removed``, ``after``
            a JSON object of what the rule makes of a price, as `channel.price.file._terms` makes it
        """
        self.env.flush_all()
        place = SQL(
            "rule.pricelist_id = %s AND rule.channel_version_id IS NOT DISTINCT FROM %s",
            pricelist.id, version.id or None,
        )
        terms = SQL(", ").join(
            SQL("%s %s", SQL.identifier(name), SQL(kind))
            for name, kind in {"compute_price": "varchar", "date_end": "timestamp", **TERM_COLUMNS}.items()
        )
        make_work_table(self.env.cr, "given", SQL(
            """
            SELECT line.kind, line.rule_id, line.applied_on, line.product_id, line.product_tmpl_id, line.categ_id,
                   line.segment_id, line.member_id, line.customer_id, line.min_quantity, line.date_start,
                   given.compute_price, given.date_end,
                   COALESCE(given.fixed_price, 0) AS fixed_price, COALESCE(given.percent_price, 0) AS percent_price,
                   COALESCE(given.base, 'list_price') AS base, given.base_pricelist_id,
                   COALESCE(given.price_discount, 0) AS price_discount, COALESCE(given.price_round, 0) AS price_round,
                   COALESCE(given.price_surcharge, 0) AS price_surcharge,
                   COALESCE(given.price_min_margin, 0) AS price_min_margin,
                   COALESCE(given.price_max_margin, 0) AS price_max_margin
              FROM (%s) AS line
         LEFT JOIN LATERAL jsonb_to_record(line.after) AS given(%s) ON TRUE
            """, lines, terms,
        ), "rule_id")
        given = work_table("given")
        removed = self.env.execute_query(SQL(
            """
            SELECT rule.id
              FROM %s given
              JOIN product_pricelist_item rule ON rule.id = given.rule_id
             WHERE given.kind = 'removed' AND %s
            """, given, place,
        ))
        self.browse([rule_id for [rule_id] in removed]).unlink()
        names = ["compute_price", "date_end", *TERM_COLUMNS]
        changed = self.env.execute_query(SQL(
            """
            UPDATE product_pricelist_item rule
               SET %s, price_markup = -given.price_discount, write_uid = %s, write_date = %s
              FROM %s given
             WHERE given.kind = 'changed' AND given.rule_id = rule.id AND %s
         RETURNING rule.id, rule.base_pricelist_id
            """,
            SQL(", ").join(SQL("%s = given.%s", SQL.identifier(name), SQL.identifier(name)) for name in names),
            self.env.uid, self.env.cr.now(), given, place,
        ))
        created = self.env.execute_query(SQL(
            """
            INSERT INTO product_pricelist_item (
                   pricelist_id, channel_version_id, applied_on, display_applied_on, product_id, product_tmpl_id,
                   categ_id, channel_segment_id, channel_member_id, channel_customer_id, min_quantity, date_start,
                   %(names)s, price_markup, company_id, currency_id, channel_segment_sequence, channel_rank,
                   create_uid, create_date, write_uid, write_date)
            SELECT %(pricelist)s, %(version)s, given.applied_on,
                   CASE given.applied_on WHEN '2_product_category' THEN '2_product_category' ELSE '1_product' END,
                   given.product_id, given.product_tmpl_id, given.categ_id, given.segment_id, given.member_id,
                   given.customer_id, given.min_quantity, given.date_start, %(values)s, -given.price_discount,
                   COALESCE(pricelist.company_id, template.company_id), pricelist.currency_id,
                   COALESCE(segment.sequence, %(no_segment)s),
                   %(no_party)s - CASE WHEN given.customer_id IS NULL THEN 0 ELSE 2 END
                                - CASE WHEN given.member_id IS NULL THEN 0 ELSE 1 END,
                   %(user)s, %(now)s, %(user)s, %(now)s
              FROM %(given)s given
              JOIN product_pricelist pricelist ON pricelist.id = %(pricelist)s
         LEFT JOIN product_template template ON template.id = given.product_tmpl_id
         LEFT JOIN channel_segment segment ON segment.id = given.segment_id
             WHERE given.kind = 'new'
         RETURNING id, base_pricelist_id
            """,
            names=SQL(", ").join(map(SQL.identifier, names)),
            values=SQL(", ").join(SQL("given.%s", SQL.identifier(name)) for name in names),
            pricelist=pricelist.id,
            version=version.id or None,
            no_segment=NO_SEGMENT_SEQUENCE,
            no_party=NO_PARTY_RANK,
            user=self.env.uid,
            now=self.env.cr.now(),
            given=given,
        ))
        drop_work_tables(self.env.cr, "given")
        self.env.invalidate_all()
        # What other add-ons compute of a rule
        written = [*changed, *created]
        rules = self.browse([rule_id for rule_id, _base in written])
        for field in self._fields.values():
            if field.store and field.compute and field.name not in FILLED:
                self.env.add_to_compute(field, rules)
        # The only law of a rule that depends on other rules: price tables do not stand on each other in a circle
        self.browse([rule_id for rule_id, base in written if base])._validate_fields(
            ["base_pricelist_id", "pricelist_id", "base"]
        )
