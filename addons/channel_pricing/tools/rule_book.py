from collections import defaultdict


class RuleBook:
    """The candidate price rules of a set of products, fetched once per price list.

    Core searches the rules again for every order line, and again for every product of a rule that is
    based on another price list, then walks all of them in Python. A book is handed down with the
    pricing keywords (``rule_book=``), through chained price lists too; each price list is searched at
    most once, and a product then sees only the rules that name it, its template, one of its
    categories, or everything.

    A book only narrows candidates. Which of them wins is still decided by core: the order of
    ``product.pricelist.item`` and ``_is_applicable_for``. It must not outlive the computation for
    which it was made, as it does not notice rules that are written meanwhile.

    :param products: recordset of ``product.product`` or ``product.template``
    :param date: the moment for which rules are wanted (datetime, UTC)
    :param dimensions: what else decides which rules apply, as passed to
        ``product.pricelist._get_applicable_rules_domain`` (``member``, ``customer``, ...)
    """

    def __init__(self, products, date, **dimensions):
        self.products = products
        self.date = date
        self.dimensions = dimensions
        self._ids = frozenset(products._ids)
        self._indexes = {}

    def covers(self, products, date, dimensions):
        """Whether this book answers for those products at that moment, for the same parties."""
        return (
            products._name == self.products._name
            and date == self.date
            and dimensions == self.dimensions
            and self._ids.issuperset(products._ids)
        )

    def candidates(self, pricelist, product):
        """The rules of `pricelist` that may hold for `product`, in the order in which they are tried."""
        rules, positions = self._index(pricelist)
        keys = [("global", False), ("product_tmpl_id", self._template_id(product))]
        if product._name == "product.template":
            keys.append(("template_of_variant", product.id))
        else:
            keys.append(("product_id", product.id))
        if product.categ_id:
            keys.extend(("categ_id", int(part)) for part in product.categ_id.parent_path.split("/") if part)
        found = sorted(position for key in keys for position in positions.get(key, ()))
        return rules.browse([rules._ids[position] for position in found]).with_prefetch(rules._prefetch_ids)

    def with_rules(self, pricelist, rules):
        """This book, told the rules of `pricelist` instead of searching them."""
        self._file(pricelist, rules)
        return self

    @staticmethod
    def _template_id(product):
        return product.id if product._name == "product.template" else product.product_tmpl_id.id

    def _index(self, pricelist):
        if pricelist.id not in self._indexes:
            self._file(pricelist, pricelist._get_applicable_rules(self.products, self.date, **self.dimensions))
        return self._indexes[pricelist.id]

    def _file(self, pricelist, rules):
        rules.fetch(["applied_on", "product_id", "product_tmpl_id", "categ_id"])
        positions = defaultdict(list)
        for position, rule in enumerate(rules):
            positions[self._key(rule)].append(position)
            if rule.applied_on == "0_product_variant" and self.products._name == "product.template":
                positions["template_of_variant", rule.product_id.product_tmpl_id.id].append(position)
        self._indexes[pricelist.id] = (rules, dict(positions))

    @staticmethod
    def _key(rule):
        match rule.applied_on:
            case "0_product_variant":
                return ("product_id", rule.product_id.id)
            case "1_product":
                return ("product_tmpl_id", rule.product_tmpl_id.id)
            case "2_product_category":
                return ("categ_id", rule.categ_id.id)
            case _:
                # Everything, and what other add-ons may invent: left to `_is_applicable_for`
                return ("global", False)
