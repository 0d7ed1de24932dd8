from odoo import fields
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestQualificationTypes(TransactionCase):
    """Which documents Chinese law wants of whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.china = cls.env.ref("base.cn")
        cls.day = fields.Date.to_date("2026-05-04")

    def missing(self, role, device_class, country=None):
        member = self.env["res.partner"].create({
            "name": f"{role} {device_class}",
            "is_company": True,
            "country_id": (country or self.china).id,
            "channel_role": role,
        })
        gaps = self.env["channel.qualification"]._gaps([(member.id, self.day, device_class)])
        return {gap.code for types in gaps.values() for gap in self._types(types)}

    def _types(self, gap):
        """The qualification types of one value of ``_gaps``: pairs of a type and the documents that fell short."""
        return self.env["channel.qualification.type"].browse(
            [pair[0].id for pair in gap if pair[0].mandatory and pair[0].severity == "block"]
        )

    def test_dealer_by_class(self):
        for role in ("distributor", "sub_distributor", "importer", "agent"):
            self.assertEqual(self.missing(role, "I"), {"cn_uscc"})
            self.assertEqual(self.missing(role, "II"), {"cn_uscc", "cn_trading_filing"})
            self.assertEqual(self.missing(role, "III"), {"cn_uscc", "cn_trading_licence"})

    def test_others(self):
        self.assertEqual(self.missing("hospital", "III"), {"cn_uscc", "cn_practice_licence"})
        self.assertEqual(self.missing("manufacturer", "III"), {"cn_uscc", "cn_production_licence"})
        self.assertEqual(self.missing("manufacturer", "I"), {"cn_uscc"})

    def test_other_countries_are_not_asked(self):
        self.assertEqual(self.missing("distributor", "III", self.env.ref("base.de")), set())

    def test_validity(self):
        licence = self.env.ref("channel_l10n_cn.qualification_type_trading_licence")
        self.assertRecordValues(licence, [{
            "validity_months": 60,
            "renewal_window_days": 90,
            "renewal_deadline_days": 30,
            "renewal_day_kind": "working",
            "has_scope": True,
        }])
        self.assertFalse(self.env.ref("channel_l10n_cn.qualification_type_trading_filing").validity_months)

    def test_every_validator_is_used(self):
        known = self.env["channel.qualification.type"]._selection_validator()
        validators = {key for key, _label in known if key.startswith("cn_")}
        types = self.env["channel.qualification.type"].search([("validator", "in", list(validators))])
        self.assertEqual(set(types.mapped("code")), validators)

    def test_hospital_grades(self):
        grade = self.env.ref("channel_l10n_cn.grade_3a")
        self.assertRecordValues(grade, [{"code": "3A", "level": 3, "grade_class": "A", "country_id": self.china.id}])
        grades = self.env["channel.hospital.grade"].search([("country_id", "=", self.china.id)])
        self.assertEqual(grades[0].code, "3S")
        self.assertEqual(grades[-1].code, "0")
        self.assertEqual(len(grades), 15)

    def test_catalogues_are_trees(self):
        stent = self.env.ref("channel_l10n_cn.cn_2017_13_07_01")
        self.assertEqual(stent.parent_id, self.env.ref("channel_l10n_cn.cn_2017_13_07"))
        self.assertEqual(stent.parent_id.parent_id.name, "无源植入器械")
        self.assertEqual(self.env.ref("channel_l10n_cn.cn_2002_6840").scheme, "cn_2002")
