from collections import Counter, defaultdict

from odoo.fields import Domain
from odoo.tools import SQL

from .basket import break_quantity

VARIANT, TEMPLATE, CATEGORY, EVERYTHING = "0_product_variant", "1_product", "2_product_category", "3_global"


def in_own_unit(product, quantity, uom):
    """`quantity` of `uom` (none: the product's) in the product's own unit, turned as core does to find a rule."""
    if not uom or uom == product.uom_id:
        return quantity
    return uom._compute_quantity(quantity, product.uom_id, raise_if_failure=False)


class RuleBook:
    """The price rules that win for a set of products, looked up once per price list.

    Core searches the rules again for every order line, and again for every product of a rule that is
    based on another price list, then walks all of them in Python. A book is handed down with the
    pricing keywords (``rule_book=``), through chained price lists too. It asks the database once per
    price list for the winners of all its products and quantities: for each product, each segment that
    holds the pair and each of variant, template, categories and "everything", the index gives the first
    rule without looking at the others, so that a table of a million rules answers as fast as one of a hundred.

    Which rule wins is still core's definition: the domain of ``_get_applicable_rules_domain`` (whoever
    extends it), what ``_is_applicable_for`` asks of products and quantities, and ``_order``. Where an
    add-on has changed the order, or invented a new kind of rule, the book falls back to handing core
    all rules that name the product. It must not outlive the computation for which it was made, as it
    does not notice rules that are written meanwhile.

    :param products: recordset of ``product.product`` or ``product.template``
    :param date: the moment for which rules are wanted (datetime, UTC)
    :param quantities: iterable of ``(product_id, quantity in the product's unit)`` that will be asked for;
        others may be asked for too, at the cost of one more query for each quantity
    :param Basket basket: what is bought together, for tables that count quantity breaks over several lines
    :param dimensions: what else decides which rules apply, as passed to
        ``product.pricelist._get_applicable_rules_domain`` (``member``, ``customer``, ...)
    """

    def __init__(self, products, date, quantities=(), *, basket=None, **dimensions):
        self.products = products
        self.date = date
        self.dimensions = dimensions
        self.quantities = set(quantities)
        self.basket = basket
        self._ids = frozenset(products._ids)
        self._by_id = dict(zip(products._ids, products, strict=True))
        self._winners = {}
        self._indexes = {}
        self._shelves = {}
        self._versions = {}
        self._offers = {}

    def covers(self, products, date, dimensions):
        """Whether this book answers for those products at that moment, for the same parties."""
        return (
            products._name == self.products._name
            and date == self.date
            and dimensions == self.dimensions
            and self._ids.issuperset(products._ids)
        )

    def candidates(self, pricelist, product, quantity=None):
        """The rules of `pricelist` to be tried for `product`, in order.

        :param float quantity: in the product's own unit; with it the winner alone, without it every rule
            that names the product
        """
        if quantity is not None and self._is_core_like(pricelist):
            return self._best(pricelist, product, quantity)
        rules, positions = self._index(pricelist)
        keys = [(EVERYTHING, False), (TEMPLATE, self._template_id(product))]
        if product._name == "product.template":
            keys.append(("template_of_variant", product.id))
        else:
            keys.append((VARIANT, product.id))
        keys.extend((CATEGORY, category_id) for category_id in self._category_ids(product))
        found = sorted(position for key in keys for position in positions.get(key, ()))
        return rules.browse([rules._ids[position] for position in found]).with_prefetch(rules._prefetch_ids)

    def version(self, pricelist):
        """The version of `pricelist` whose rules hold, with superuser rights; none where it has no versions."""
        if pricelist.id not in self._versions:
            self._versions[pricelist.id] = pricelist._channel_version_at(self.date)
        return self._versions[pricelist.id]

    def offers(self, pricelist):
        """The offers that count on prices of `pricelist`, with superuser rights; none where it has no versions."""
        if pricelist.id not in self._offers:
            self._offers[pricelist.id] = self.version(pricelist).offer_ids
        return self._offers[pricelist.id]

    def winner(self, pricelist, product, quantity):
        """The rule of `pricelist` that wins for so much of a product (in its own unit); none where none holds."""
        rules = self.candidates(pricelist, product, quantity)
        return next((rule for rule in rules if rule._is_applicable_for(product, quantity)), rules.browse())

    def counted(self, pricelist, product, quantity):
        """By which quantity breaks of `product` are decided, where its line has `quantity` (in its own unit)."""
        if self.basket is None or pricelist.channel_break_scope == "line":
            return quantity
        return self.basket.count(pricelist.channel_break_scope, product, quantity)

    # === WINNERS, BY INDEX ===#

    def runner_up(self, pricelist, product, quantity):
        """The rule that would hold if the one that wins were not there; none when there is no other."""
        if self._is_core_like(pricelist):
            best = self._ask(pricelist, product, quantity)
        else:
            best = [
                rule for rule in self.candidates(pricelist, product) if rule._is_applicable_for(product, quantity)
            ]
        return best[1] if len(best) > 1 else pricelist.env["product.pricelist.item"]

    def winners(self, pricelist):
        """The rules that win for all announced quantities, at once: ``{(product_id, quantity): rule}``."""
        none = pricelist.env["product.pricelist.item"]
        if self._is_core_like(pricelist):
            known = self._winners.setdefault(pricelist.id, {})
            if missing := self.quantities - known.keys():
                self._find_winners(pricelist, missing, known)
            return {question: known[question][0] if known[question] else none for question in self.quantities}
        found = {}
        for product_id, quantity in self.quantities:
            product = self._by_id[product_id]
            rules = self.candidates(pricelist, product)
            found[product_id, quantity] = next((r for r in rules if r._is_applicable_for(product, quantity)), none)
        return found

    def _best(self, pricelist, product, quantity):
        best = self._ask(pricelist, product, quantity)
        return best[0] if best else pricelist.env["product.pricelist.item"]

    def _ask(self, pricelist, product, quantity):
        winners = self._winners.setdefault(pricelist.id, {})
        if (product.id, quantity) not in winners:
            asked = set()
            if not winners:
                asked = {
                    (product_id, self.counted(pricelist, self._by_id[product_id], announced))
                    for product_id, announced in self.quantities
                }
            if (product.id, quantity) not in asked:
                # A quantity that nobody announced: most likely the next products are asked for it too.
                asked = {(product_id, quantity) for product_id in self._ids}
            self._find_winners(pricelist, asked - winners.keys(), winners)
        return winners[product.id, quantity]

    def _find_winners(self, pricelist, asked, winners):
        """Fill `winners`, ``{(product_id, quantity): [the rule that wins, the runner-up]}``, by one query."""
        Item = pricelist.env["product.pricelist.item"]
        asked = list(asked)
        targets = {product_id: list(self._targets(self._by_id[product_id])) for product_id, _quantity in asked}
        rows = [
            (key, level, target, break_quantity(quantity, target if level == CATEGORY else None))
            for key, (product_id, quantity) in enumerate(asked)
            for level, target in targets[product_id]
        ]
        domain = Domain(
            pricelist._get_applicable_rules_domain(products=self.products, date=self.date, **self.dimensions)
        )
        named = pricelist.env["channel.pricing"]._dimensions_of(
            self.dimensions.get("member"), self.dimensions.get("customer")
        )
        Item.flush_model(
            ["pricelist_id", "applied_on", "product_id", "product_tmpl_id", "categ_id", "min_quantity",
             "channel_version_id", "channel_rank", "channel_segment_sequence", *named]
        )
        holding = Item._search(domain)
        ordered = Item._search(Domain.TRUE, order=Item._order)
        # The first two of each kind and party: the first two of all are among them.
        found = pricelist.env.execute_query(SQL(
            """
            WITH asked AS (
                SELECT *
                  FROM unnest(%(keys)s::int[], %(levels)s::varchar[], %(targets)s::int[], %(quantities)s::numeric[])
                    AS asked(key, level, target, quantity)
            ),
            -- Versions, kinds and parties of which the table has any rule at all. Each LIMIT keeps the planner at the
            -- index: a semi-join would read the table. So does each ORDER BY, the index's own next column: a planner
            -- that takes most rows for matches would else read the table for the first, also where there is none.
            -- MATERIALIZED: one step after the other, however wrong the planner's idea of a table is that was just
            -- filled.
            present AS MATERIALIZED (
                SELECT version_id, level, member_id, customer_id, segment_id
                  FROM (SELECT DISTINCT level FROM asked) AS levels
            CROSS JOIN unnest(%(versions)s::int[]) AS version_id
            CROSS JOIN unnest(%(members)s::int[]) AS member_id
            CROSS JOIN unnest(%(customers)s::int[]) AS customer_id
            CROSS JOIN LATERAL (
                        SELECT
                          FROM product_pricelist_item rule
                         WHERE rule.pricelist_id = %(pricelist)s
                           AND COALESCE(rule.channel_version_id, 0) = version_id
                           AND rule.applied_on = level
                           AND COALESCE(rule.channel_member_id, 0) = member_id
                           AND COALESCE(rule.channel_customer_id, 0) = customer_id
                      ORDER BY COALESCE(rule.channel_segment_id, 0)
                         LIMIT 1
                       ) AS any_of_parties
            CROSS JOIN unnest(%(segments)s::int[]) AS segment_id
            CROSS JOIN LATERAL (
                        SELECT
                          FROM product_pricelist_item rule
                         WHERE rule.pricelist_id = %(pricelist)s
                           AND COALESCE(rule.channel_version_id, 0) = version_id
                           AND rule.applied_on = level
                           AND COALESCE(rule.channel_member_id, 0) = member_id
                           AND COALESCE(rule.channel_customer_id, 0) = customer_id
                           AND COALESCE(rule.channel_segment_id, 0) = segment_id
                      ORDER BY %(target_of_rule)s
                         LIMIT 1
                       ) AS any_of_segment
            ),
            first AS MATERIALIZED (
                SELECT asked.key, rule_id
                  FROM asked
                  JOIN present ON present.level = asked.level
            CROSS JOIN LATERAL (
                        SELECT product_pricelist_item.id AS rule_id
                          FROM %(holding_from)s
                         WHERE product_pricelist_item.pricelist_id = %(pricelist)s
                           AND COALESCE(product_pricelist_item.channel_version_id, 0) = present.version_id
                           AND product_pricelist_item.applied_on = asked.level
                           AND COALESCE(product_pricelist_item.channel_member_id, 0) = present.member_id
                           AND COALESCE(product_pricelist_item.channel_customer_id, 0) = present.customer_id
                           AND COALESCE(product_pricelist_item.channel_segment_id, 0) = present.segment_id
                           AND %(target)s = asked.target
                           -- 0 is no minimum, also for a quantity below it, as in core
                           AND product_pricelist_item.min_quantity <= GREATEST(asked.quantity, 0)
                           AND (product_pricelist_item.min_quantity >= 0
                                OR product_pricelist_item.min_quantity <= asked.quantity)
                           AND %(holding)s
                      ORDER BY product_pricelist_item.channel_rank,
                               product_pricelist_item.min_quantity DESC,
                               product_pricelist_item.id DESC
                         LIMIT 2
                       ) AS rules
            )
            SELECT first.key, product_pricelist_item.id
              FROM first
              JOIN (%(ordered_from)s) ON product_pricelist_item.id = first.rule_id
          ORDER BY first.key, %(order)s
            """,
            keys=[row[0] for row in rows],
            levels=[row[1] for row in rows],
            targets=[row[2] for row in rows],
            # As literals with all their digits: a float would be cut to 15 of them.
            quantities=[row[3] for row in rows],
            versions=[0, *self.version(pricelist).ids],
            members=[0, *named["channel_member_id"]],
            customers=[0, *named["channel_customer_id"]],
            segments=[0, *named["channel_segment_id"]],
            pricelist=pricelist.id,
            target=Item._channel_target_sql(),
            target_of_rule=Item._channel_target_sql("rule"),
            holding_from=holding.from_clause,
            holding=holding.where_clause or SQL("TRUE"),
            ordered_from=ordered.from_clause,
            order=ordered.order,
        ))
        of_key = defaultdict(list)
        for key, rule_id in found:
            if len(of_key[key]) < 2:
                of_key[key].append(rule_id)
        prefetch = list(dict.fromkeys(rule_ids[0] for rule_ids in of_key.values()))
        for key, question in enumerate(asked):
            winners[question] = [Item.browse(rule_id).with_prefetch(prefetch) for rule_id in of_key[key]]

    def _targets(self, product):
        """What a rule must be about to be about `product`: pairs of its kind and the id that it names."""
        if product._name == "product.template":
            # A rule of a variant is one of the template when there is no other variant
            variant = product.product_variant_ids
            variant = variant if len(variant) == 1 else variant[:0]
        else:
            variant = product
        for variant_id in variant._origin.ids:
            yield VARIANT, variant_id
        yield TEMPLATE, self._template_id(product)
        for category_id in self._category_ids(product):
            yield CATEGORY, category_id
        yield EVERYTHING, 0

    def _is_core_like(self, pricelist):
        Item = pricelist.env["product.pricelist.item"]
        kinds = dict(Item._fields["applied_on"]._description_selection(pricelist.env))
        return Item._order == Item._channel_order and kinds.keys() == {VARIANT, TEMPLATE, CATEGORY, EVERYTHING}

    # === ALL RULES OF A PRODUCT ===#

    def about(self, pricelist, product, limit):
        """The rules of `pricelist` about `product`, of any date, for anybody, in the order in which they are tried.

        Of a table with versions those of the version in force.


        :param int limit: of each kind no more than this many are looked at
        :return: ``(rules, complete)``; not complete when some were left out
        """
        if pricelist.id not in self._shelves:
            self._shelves[pricelist.id] = self._shelve(pricelist, limit)
        position, of_target, partial = self._shelves[pricelist.id]
        targets = list(self._targets(product))
        found = sorted({rule_id for target in targets for rule_id in of_target.get(target, ())}, key=position.get)
        rules = pricelist.env["product.pricelist.item"].browse(found).with_prefetch(position)
        return rules, partial.isdisjoint(targets)

    def _shelve(self, pricelist, limit):
        """:return: ``({rule id: position}, {(kind, id): [rule id]}, {(kind, id) of which there are more})``"""
        Item = pricelist.env["product.pricelist.item"]
        targets = list({target for product in self.products for target in self._targets(product)})
        Item.flush_model(
            ["pricelist_id", "channel_version_id", "applied_on", "product_id", "product_tmpl_id", "categ_id"]
        )
        readable = Item._search(Domain("pricelist_id", "=", pricelist.id))
        of_target = defaultdict(list)
        partial, seen = set(), Counter()
        for key, version_id, rule_id in pricelist.env.execute_query(SQL(
            """
            SELECT asked.key, version_id, rule.id
              FROM unnest(%(keys)s::int[], %(levels)s::varchar[], %(targets)s::int[]) AS asked(key, level, target)
        CROSS JOIN unnest(%(versions)s::int[]) AS version_id
        CROSS JOIN LATERAL (
                    SELECT product_pricelist_item.id
                      FROM %(readable_from)s
                     WHERE product_pricelist_item.pricelist_id = %(pricelist)s
                       AND COALESCE(product_pricelist_item.channel_version_id, 0) = version_id
                       AND product_pricelist_item.applied_on = asked.level
                       AND %(target)s = asked.target
                       AND %(readable)s
                     LIMIT %(limit)s
                   ) AS rule
            """,
            keys=list(range(len(targets))),
            levels=[level for level, _target in targets],
            targets=[target for _level, target in targets],
            versions=[0, *self.version(pricelist).ids],
            pricelist=pricelist.id,
            target=Item._channel_target_sql(),
            readable_from=readable.from_clause,
            readable=readable.where_clause or SQL("TRUE"),
            limit=limit + 1,
        )):
            seen[key, version_id] += 1
            if seen[key, version_id] > limit:
                partial.add(targets[key])
            of_target[targets[key]].append(rule_id)
        ordered = Item.search([("id", "in", [rule_id for rule_ids in of_target.values() for rule_id in rule_ids])])
        return {rule_id: position for position, rule_id in enumerate(ordered.ids)}, of_target, partial

    # === QUANTITY BREAKS ===#

    def breaks(self, pricelists):
        """From which quantities on another rule of any of `pricelists` may win.

        :param pricelists: a table and those on which its prices rest
        :return: ``{product_id: [quantity in the product's own unit, ...]}``, ascending; products without breaks are
            left out
        """
        of_target = defaultdict(set)
        for pricelist in pricelists:
            for level, target, quantity in self._breaks_of(pricelist):
                of_target[level, target].add(quantity)
        found = {
            product.id: sorted(set().union(*(of_target.get(target, ()) for target in self._targets(product))))
            for product in self.products
        }
        return {product_id: quantities for product_id, quantities in found.items() if quantities}

    def _breaks_of(self, pricelist):
        """``[(kind, id, quantity)]``; rules of other products, or that do not hold after all, may be among them."""
        Item = pricelist.env["product.pricelist.item"]
        holding = pricelist._channel_rules_in_force_domain(self.date) & pricelist.env[
            "channel.pricing"
        ]._rules_of_parties_domain(self.dimensions.get("member"), self.dimensions.get("customer"))
        breaking = Item._search(holding & Domain([
            ("pricelist_id", "=", pricelist.id),
            ("min_quantity", ">", 0),
            "|", ("date_start", "=", False), ("date_start", "<=", self.date),
            "|", ("date_end", "=", False), ("date_end", ">=", self.date),
        ]))
        return pricelist.env.execute_query(SQL(
            "SELECT DISTINCT product_pricelist_item.applied_on, %s, product_pricelist_item.min_quantity"
            " FROM %s WHERE %s",
            Item._channel_target_sql(), breaking.from_clause, breaking.where_clause,
        ))

    @staticmethod
    def _template_id(product):
        return product.id if product._name == "product.template" else product.product_tmpl_id.id

    @staticmethod
    def _category_ids(product):
        # Of the template: the variant's own field would be computed for each
        template = product if product._name == "product.template" else product.product_tmpl_id
        path = template.categ_id.parent_path or ""
        return [int(part) for part in path.split("/") if part]

    def _index(self, pricelist):
        if pricelist.id not in self._indexes:
            self._file(pricelist, pricelist._get_applicable_rules(self.products, self.date, **self.dimensions))
        return self._indexes[pricelist.id]

    def _file(self, pricelist, rules):
        rules.fetch(["applied_on", "product_id", "product_tmpl_id", "categ_id"])
        positions = defaultdict(list)
        for position, rule in enumerate(rules):
            positions[self._key(rule)].append(position)
            if rule.applied_on == VARIANT and self.products._name == "product.template":
                positions["template_of_variant", rule.product_id.product_tmpl_id.id].append(position)
        self._indexes[pricelist.id] = (rules, dict(positions))

    @staticmethod
    def _key(rule):
        match rule.applied_on:
            case "0_product_variant":
                return (VARIANT, rule.product_id.id)
            case "1_product":
                return (TEMPLATE, rule.product_tmpl_id.id)
            case "2_product_category":
                return (CATEGORY, rule.categ_id.id)
            case _:
                # Everything, and what other add-ons may invent: left to `_is_applicable_for`
                return (EVERYTHING, False)
