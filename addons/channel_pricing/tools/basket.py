from functools import cached_property


class Counted(float):
    """A quantity by which breaks are decided; for rules of a category it may be another than for all other rules."""

    def __new__(cls, value, by_category):
        self = super().__new__(cls, value)
        self.by_category = by_category
        return self


def break_quantity(quantity, category_id=None):
    """`quantity` as a plain number, for a rule of that category (none: any other rule)."""
    return float(getattr(quantity, "by_category", {}).get(category_id, quantity))


class Basket:
    """What is bought together, to count quantity breaks over several lines as a price table says.

    Counted in the unit of the product that is priced; of products whose unit cannot be turned into it nothing is
    counted.

    :param read: called at most once, gives ``[(product, quantity in the product's own unit)]``
    """

    def __init__(self, read):
        self._read = read
        self._known = {}

    @cached_property
    def _lines(self):
        return [(product, quantity) for product, quantity in self._read() if product]

    def count(self, scope, product, quantity):
        """By which quantity breaks of `product` are decided.

        :param str scope: ``line``, ``template``, ``category`` or ``order``
        :param product: ``product.product`` or ``product.template``
        :param float quantity: of its line, in its own unit; the answer where nothing else is counted
        """
        if scope == "line" or not self._lines:
            return quantity
        key = (scope, product._name, product.id)
        if key not in self._known:
            self._known[key] = self._count(scope, product)
        return self._known[key] or quantity

    def _count(self, scope, product):
        template = product if product._name == "product.template" else product.product_tmpl_id
        if scope == "template":
            return self._sum(product, lambda other: other.product_tmpl_id == template)
        if scope == "order":
            return self._sum(product, lambda other: True)
        path = product.categ_id.parent_path or ""
        by_category = {
            int(category): self._sum(product, lambda other, part=f"/{category}/": part in self._path(other))
            for category in path.split("/")
            if category
        }
        own = by_category.get(product.categ_id.id, 0.0)
        return own and Counted(own, by_category)

    @staticmethod
    def _path(product):
        return f"/{product.categ_id.parent_path or ''}"

    def _sum(self, product, counts):
        unit = product.uom_id
        total = 0.0
        for other, quantity in self._lines:
            if not counts(other):
                continue
            if other.uom_id == unit:
                total += quantity
            elif other.uom_id._has_common_reference(unit):
                total += other.uom_id._compute_quantity(quantity, unit, round=False)
        return total
