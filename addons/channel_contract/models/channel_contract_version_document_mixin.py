from odoo import models
from odoo.tools.misc import babel_locale_parse


class ChannelContractVersionDocumentMixin(models.AbstractModel):
    """The printed contract: what stands in it beside the clauses, in the one or two languages of the version.

    Inherited by ``channel.contract.version``. Labels are asked for language by language, so that a contract in two
    languages has both of them everywhere.
    """

    _name = "channel.contract.version.document.mixin"
    _description = "Printed Contract"

    def _document_languages(self):
        """:returns: the version in each language that is printed, the one that prevails first"""
        self.ensure_one()
        codes = dict.fromkeys(filter(None, (self.lang or self.member_id.lang, self.second_lang)))
        return [self.with_context(lang=code) for code in codes or (self.env.lang,)]

    def _document_labels(self):
        """:returns: ``{code: label}``, the labels of all languages beside each other"""
        labels = [version._document_words() for version in self._document_languages()]
        return {code: " / ".join(dict.fromkeys(words[code] for words in labels)) for code in labels[0]}

    def _document_words(self):
        return {
            "number": self.env._("Contract No."),
            "version": self.env._("Version"),
            "party_a": self.env._("Party A"),
            "party_b": self.env._("Party B"),
            "registration": self.env._("Registration number"),
            "phone": self.env._("Telephone"),
            "representative": self.env._("Signatory"),
            "draft": self.env._("Draft. Not valid before its approval."),
            "pending": self.env._("Not valid before it is signed by all."),
            "cancelled": self.env._("Cancelled. Not valid."),
            "superseded": self.env._("Superseded by a later version."),
            "terms": self.env._("Terms"),
            "clauses": self.env._("Clauses"),
            "commitments": self.env._("Commitments of Party B"),
            "subject": self.env._("Subject"),
            "products": self.env._("Products"),
            "period": self.env._("In each"),
            "committed": self.env._("Committed (amounts before tax)"),
            "authorizations": self.env._("Territories and Products"),
            "letter": self.env._("Authorization"),
            "territory": self.env._("Territory"),
            "from": self.env._("From"),
            "to": self.env._("To"),
            "annexes": self.env._("Annexes"),
            "history": self.env._("Versions of this Contract"),
            "approved": self.env._("Approved on"),
            "was_superseded": self.env._("superseded"),
            "signatures": self.env._("Signatures"),
            "signature": self.env._("Signature and seal"),
            "name": self.env._("Name"),
            "date": self.env._("Date"),
        }

    def _document_terms(self):
        """The table of terms, one row for each that says something.

        :returns: list of ``(label, value)`` in all languages of the version
        """
        rows = {}
        for version in self._document_languages():
            for code, label, value in version._document_term_rows():
                labels, values = rows.setdefault(code, ([], []))
                labels.append(label)
                values.append(value)
        return [
            (" / ".join(dict.fromkeys(labels)), " / ".join(dict.fromkeys(values))) for labels, values in rows.values()
        ]

    def _document_term_rows(self):
        """Return ``(code, label, value)`` of the terms in the language of the environment; add-ons add theirs."""
        # sudo: names of price lists and payment terms that the contract prints
        values = self.sudo()._clause_values()
        if values["valid_to"]:
            period = self.env._("from %(start)s to %(end)s", start=values["valid_from"], end=values["valid_to"])
        else:
            period = self.env._("from %s until further notice", values["valid_from"])
        at_end = values["renewal"]
        if self.notice_days:
            at_end = self.env._("%(renewal)s · notice of %(days)s days", renewal=at_end, days=self.notice_days)
        prices = values["price_table"] and self.env._(
            "%(table)s, in %(currency)s", table=values["price_table"], currency=values["currency"]
        )
        rows = [
            ("valid", self.env._("In Force"), period),
            ("end", self.env._("At the End"), at_end),
            ("prices", self.env._("Prices"), prices),
            ("payment", self.env._("Payment"), values["payment_terms"]),
            ("purpose", self.env._("This Version"), self.purpose or ""),
        ]
        return [row for row in rows if row[2]]

    def _document_commitments(self):
        """:returns: list of rows ``{subject, products, period, committed}``; a quantity names its unit"""
        languages = self._document_languages()

        def both(value):
            return " / ".join(dict.fromkeys(value(version) for version in languages))

        rows = []
        for place, line in enumerate(self.commitment_ids):

            def products(version, place=place):
                return version.commitment_ids[place]._scope_text() or version.env._("All products")

            def period(version, place=place):
                line = version.commitment_ids[place]
                return dict(line._fields["period"]._description_selection(version.env))[line.period]

            def committed(version, place=place):
                return version.commitment_ids[place]._target_text()

            rows.append(
                {
                    "subject": line.name,
                    "products": both(products),
                    "period": both(period),
                    "committed": both(committed),
                }
            )
        return rows

    def _document_authorizations(self):
        """:returns: list of rows ``{letter, territory, products, from, to}`` of those that are approved"""
        # sudo: the authorizations that hang on the version are part of what is printed
        rows = []
        for authorization in self.sudo().authorization_ids.filtered(lambda a: a.state == "approved"):
            rows.append(
                {
                    "letter": authorization.number,
                    "territory": _names(authorization.region_ids, authorization.customer_ids),
                    "products": _names(
                        authorization.product_ids,
                        authorization.product_categ_ids,
                        authorization.device_category_ids,
                        authorization.registration_ids,
                    )
                    or " / ".join(version.env._("All products") for version in self._document_languages()),
                    "from": authorization.date_from,
                    "to": authorization.date_to,
                }
            )
        return rows

    def _document_prevails(self):
        """:returns: which language prevails, said in both; empty for a contract in one"""
        languages = self._document_languages()
        if len(languages) < 2:
            return []

        def name(code, version):
            return babel_locale_parse(code).get_language_name(babel_locale_parse(version.env.lang))

        return [
            version.env._(
                "This contract is made in %(first)s and %(second)s. Where they differ, the text in %(first)s prevails.",
                first=name(self.lang, version),
                second=name(self.second_lang, version),
            )
            for version in languages
        ]

    def _document_sections(self):
        """:returns: list of ``(heading, heading in the second language, lines)`` of the clauses that are printed"""
        sections = []
        for line in self.clause_ids.filtered(lambda line: not line.omitted):
            if not sections or line.section and line.section != sections[-1][0]:
                sections.append((line.section, line.second_section, line.browse()))
            heading, second, lines = sections[-1]
            sections[-1] = (heading, second, lines | line)
        return sections


def _names(*groups):
    return ", ".join(name for records in groups for name in records.mapped("display_name"))
