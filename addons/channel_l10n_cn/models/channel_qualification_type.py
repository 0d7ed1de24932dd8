from odoo import api, fields, models

from ..tools import cn_numbers, cn_scope


class ChannelQualificationType(models.Model):
    """Validators of the numbers that Chinese authorities give.

    ``parsed`` holds, besides ``number``: ``province_code`` (GB/T 2260, False when the State issued it), ``year``,
    ``city``, ``serial``, ``device_class`` (I, II, III), ``categories`` (``[{scheme, code}]``, more than one where the
    number does not tell), ``origin`` (domestic, import, hk_mo_tw), where the kind of number tells them;
    ``warnings``: codes of what looks odd but is no reason to refuse. ``region`` is added where a region of the
    number's code is loaded: ``{"code", "name"}``.
    """

    _inherit = "channel.qualification.type"

    # === BUSINESS METHODS === #

    def _validate_cn_uscc(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_uscc, number)

    def _validate_cn_registration(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_registration, number, this_year=self._l10n_cn_this_year())

    def _validate_cn_class1_filing(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_class1_filing, number, this_year=self._l10n_cn_this_year())

    def _validate_cn_trading_licence(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_trading, number, kind="许", this_year=self._l10n_cn_this_year())

    def _validate_cn_trading_filing(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_trading, number, kind="备", this_year=self._l10n_cn_this_year())

    def _validate_cn_production_licence(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_production, number, this_year=self._l10n_cn_this_year())

    def _validate_cn_production_filing(self, number):
        this_year = self._l10n_cn_this_year()
        return self._l10n_cn_parse(cn_numbers.parse_production, number, kind="备", this_year=this_year)

    def _validate_cn_fapiao(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_fapiao, number, this_year=self._l10n_cn_this_year())

    def _validate_cn_nhsa_code(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_nhsa_code, number)

    def _validate_cn_nhsa_institution(self, number):
        return self._l10n_cn_parse(cn_numbers.parse_nhsa_institution, number)

    def _parse_scope_cn(self, text):
        """Read 经营范围 as Chinese licences print it, see :func:`cn_scope.parse_scope`.

        A licence that is of one device class prints it anyway; where it does not, lines hold for every class of the
        type.
        """
        remarks = {
            "range_or_code": self.env._(
                "May be a range of categories, or one category of level two: read as the latter."
            ),
            "cold_chain": self.env._("The text speaks of transport and storage in the cold."),
            "includes": self.env._("The text names something as included."),
        }
        # sudo: catalogues are no secret, and members' systems ask too. Names are compared in Chinese, which is what
        # the catalogue is written in where the language is not installed.
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        categories = self.env["channel.device.category"].sudo().with_context(
            lang="zh_CN" if "zh_CN" in installed else "en_US", active_test=False
        ).search([("scheme", "in", (cn_scope.OLD, cn_scope.NEW))])
        catalogues = {cn_scope.OLD: {}, cn_scope.NEW: {}}
        for category in categories:
            catalogues[category.scheme][category.code] = category.name
        result = cn_scope.parse_scope(text, catalogues)
        for line in result["lines"]:
            line["remark"] = remarks.get(line["remark"], False)
        return result

    # === HOOKS === #

    def _validation_reasons(self):
        return {
            **super()._validation_reasons(),
            "cn_alphabet": self.env._(
                "The letters I, O, S, V and Z are not used in this number: read 1, 0, 5, U or 2 instead?"
            ),
            "cn_region": self.env._("The region code inside the number is not one of GB/T 2260."),
            "cn_province": self.env._(
                "The number does not begin with the character of a province. Licences write 内 (not 蒙) for Inner "
                "Mongolia and 川 (not 蜀) for Sichuan."
            ),
            "cn_year": self.env._("The year lies before numbers of this form were given, or in the future."),
            "cn_class": self.env._("The class digit of a registration is 2 or 3; class I devices are filed instead."),
            "cn_level": self.env._(
                "Class III devices and imports are registered by the State: the number must begin with 国."
            ),
            "cn_catalogue": self.env._("The catalogue code is neither in the catalogue of 2017 nor in that of 2002."),
            "cn_kind": self.env._("This is the number of another kind of document."),
        }

    # === TOOLING === #

    @api.model
    def _l10n_cn_this_year(self):
        return fields.Date.context_today(self).year

    @api.model
    def _l10n_cn_parse(self, parse, number, **options):
        """Turn the result of a parser into that of a validator."""
        try:
            parsed = parse(number, **options)
        except cn_numbers.NumberError as error:
            return self._invalid(error.reason)
        parsed = {key: False if value is None else value for key, value in parsed.items()}
        code = parsed.get("region_code") or parsed.get("province_code")
        if region := self._l10n_cn_region(code):
            parsed["region"] = {"code": region.code, "name": region.name}
        return self._valid(parsed.pop("number"), **parsed)

    @api.model
    def _l10n_cn_region(self, code):
        """The loaded region of a GB/T 2260 code: the county, else its prefecture, else its province."""
        if not code:
            return self.env["channel.region"]
        wanted = [code, f"{code[:4]}00", f"{code[:2]}0000"]
        # sudo: a name of the standard is no secret, and members' systems ask without a right on regions.
        regions = self.env["channel.region"].sudo().search(
            [("code", "in", wanted), ("country_id.code", "=", "CN")]
        )
        return regions.sorted(lambda region: wanted.index(region.code))[:1]
