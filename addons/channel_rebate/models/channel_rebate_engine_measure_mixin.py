from odoo import models
from odoo.tools import SQL

from ..tools.formula import LINE_NAMES, compile_formula

#: Column of a source line that a price reads.
PRICE_COLUMNS = {
    "net": "net_amount",
    "gross": "gross_amount",
    "cash": "cash_amount",
    "list": "list_amount",
    "contract": "contract_amount",
}
RATE_DATES = {"event": "date", "order": "order_date", "invoice": "invoice_date"}
#: Terms that decide how a line is measured: versions that agree in them are measured by the same expression.
MEASURE_TERMS = (
    "basis", "returns_policy", "rate_date",
    "qualifying_measure", "qualifying_price", "qualifying_tax", "qualifying_freight", "qualifying_uom_id",
    "qualifying_formula",
    "earning_measure", "earning_price", "earning_tax", "earning_freight", "earning_uom_id", "earning_formula",
)  # fmt: skip


class ChannelRebateEngineMeasureMixin(models.AbstractModel):
    """What a line measures, for the tier and for what is paid on: SQL over a source line `s` and its version `t`."""

    _name = "channel.rebate.engine.measure.mixin"
    _description = "Rebate Engine: Measures"

    def _measure_sides(self, version):
        """-> the sides that are measured apart: earning like the target is measured once"""
        return ("qualifying",) if version.earning_measure == "same" else ("qualifying", "earning")

    def _measure_columns(self, version):
        """-> names of the source columns that these terms read"""
        columns = set()
        for side in self._measure_sides(version):
            measure = version[f"{side}_measure"]
            columns |= {"quantity"} if measure in ("quantity", "points", "formula") else set()
            if measure == "amount":
                columns |= {"currency_id", "net_amount", "company_amount", PRICE_COLUMNS[version[f"{side}_price"]]}
                columns |= {"tax_amount"} if version[f"{side}_tax"] else set()
            elif measure == "formula":
                columns |= {"currency_id", "company_amount", "tax_amount", *PRICE_COLUMNS.values()}
        if version.rate_date in RATE_DATES:
            columns.add(RATE_DATES[version.rate_date])
        return columns

    def _sql_measures(self, version, date_to):
        """-> SQL of what a line counts for towards the tier, and of what is paid on"""
        measured = [self._sql_measure(version, side, date_to) for side in self._measure_sides(version)]
        return measured[0], measured[-1]

    def _sql_measure(self, version, side, date_to):
        match version[f"{side}_measure"]:
            case "amount":
                price, tax = version[f"{side}_price"], version[f"{side}_tax"]
                if price == "net" and not tax:
                    return self._sql_net(version, date_to)
                amount = SQL.identifier("s", PRICE_COLUMNS[price])
                if price == "list":
                    # held in company currency; tax in proportion to that of the net price
                    if tax:
                        amount = SQL("%s * (1 + COALESCE(s.tax_amount / NULLIF(s.net_amount, 0), 0))", amount)
                    return self._sql_convert(version, amount, SQL("c.currency_id"), date_to)
                if tax:
                    amount = SQL("(%s + s.tax_amount)", amount)
                return self._sql_convert(version, amount, SQL("s.currency_id"), date_to)
            case "quantity":
                return self._sql_quantity(version[f"{side}_uom_id"])
            case "points":
                return SQL("s.quantity * COALESCE(template.channel_rebate_points, 0)")
            case "formula":
                document, company = SQL("s.currency_id"), SQL("c.currency_id")
                values = {
                    "quantity": SQL("s.quantity"),
                    "points": SQL("s.quantity * COALESCE(template.channel_rebate_points, 0)"),
                    "tax": self._sql_convert(version, SQL("s.tax_amount"), document, date_to),
                    "net": self._sql_net(version, date_to),
                    "list": self._sql_convert(version, SQL("s.list_amount"), company, date_to),
                }
                for name in ("gross", "cash", "contract"):
                    values[name] = self._sql_convert(version, SQL.identifier("s", f"{name}_amount"), document, date_to)
                return compile_formula(version[f"{side}_formula"], LINE_NAMES)(values)

    def _sql_quantity(self, uom):
        """The quantity in `uom`, or in each product's own unit. A product in no such unit counts for nothing."""
        if not uom:
            return SQL("s.quantity")
        return SQL(
            """CASE WHEN split_part(unit.parent_path, '/', 1) = %s
                    THEN s.quantity * unit.factor / %s ELSE 0 END""",
            uom.parent_path.split("/")[0],
            SQL("%s::numeric", str(uom.factor)),
        )

    # === CURRENCY === #

    def _sql_net(self, version, date_to):
        """The net amount in the programme's currency; amounts that Odoo holds in it are taken as they are booked."""
        if version.rate_date not in ("event", "invoice"):
            return self._sql_convert(version, SQL("s.net_amount"), SQL("s.currency_id"), date_to)
        return SQL(
            """CASE WHEN s.currency_id = p.currency_id THEN s.net_amount
                    WHEN c.currency_id = p.currency_id THEN s.company_amount
                    ELSE %s END""",
            self._sql_at_rate(version, SQL("s.company_amount"), SQL("c.currency_id"), date_to),
        )

    def _sql_convert(self, version, amount, currency, date_to):
        return SQL(
            "CASE WHEN %(currency)s = p.currency_id THEN %(amount)s ELSE %(converted)s END",
            currency=currency,
            amount=amount,
            converted=self._sql_at_rate(version, amount, currency, date_to),
        )

    def _sql_at_rate(self, version, amount, currency, date_to):
        """`amount` converted and rounded line by line, as `res.currency._convert` does."""
        if version.rate_date == "window":
            day = SQL("LEAST(w.window_end, %s::date)", date_to)
        else:
            day = SQL("COALESCE(%s, s.date)", SQL.identifier("s", RATE_DATES[version.rate_date]))
        return SQL(
            "round(%(amount)s * %(to)s / %(from)s / cur.rounding) * cur.rounding",
            amount=amount,
            to=self._sql_rate(SQL("p.currency_id"), day),
            **{"from": self._sql_rate(currency, day)},
        )

    def _sql_rate(self, currency, day):
        """The rate of a currency on a day, or the first one that there is, or 1."""
        return SQL(
            """COALESCE(
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = %(currency)s AND r.name <= %(day)s
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name DESC LIMIT 1),
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = %(currency)s
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name LIMIT 1),
                1.0)""",
            currency=currency,
            day=day,
        )
