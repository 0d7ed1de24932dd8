import csv
import importlib.util
from collections import Counter

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open
from odoo.tools.misc import file_path


def rows(path):
    with file_open(f"channel_l10n_cn/data/{path}", "r") as file:
        return list(csv.DictReader(file))


@tagged("post_install", "-at_install")
class TestDataFiles(TransactionCase):
    """What lies in ``data/`` is what the sources say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        spec = importlib.util.spec_from_file_location("make_data", file_path("channel_l10n_cn/scripts/make_data.py"))
        cls.make_data = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.make_data)

    def test_generated_files_follow_the_sources(self):
        made = self.make_data.files()
        self.assertEqual(set(made), {"cn_regions.csv", "cn_counties.csv", "channel.device.category.csv"})
        for name, text in made.items():
            with self.subTest(name), file_open(f"channel_l10n_cn/data/{name}", "r") as file:
                self.assertEqual(file.read(), text)

    def test_every_place_of_the_source_is_there_once(self):
        loaded = rows("cn_regions.csv") + rows("cn_counties.csv")
        codes = Counter(row["code"] for row in loaded)
        self.assertEqual([code for code, count in codes.items() if count > 1], [])
        self.assertEqual(Counter(row["level"] for row in rows("cn_regions.csv")), {
            "country": 1, "area": 7, "province": 34, "prefecture": 333, "county": 32,
        })
        cities = {row["code"]: row["name"] for row in rows("source/gb2260_cities.csv")}
        missing = {name for code, name in cities.items() if f"{code}00" not in codes}
        self.assertEqual(missing, {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
        # Prefectures without counties stand in the source as their own county.
        missing = {row["name"] for row in rows("source/gb2260_areas.csv") if row["code"] not in codes}
        self.assertEqual(missing, {"嘉峪关市"})
        self.assertTrue({"441900", "442000", "460400", "620200"} <= set(codes))

    def test_parents_exist_and_hold_the_code(self):
        loaded = {row["id"]: row for row in rows("cn_regions.csv") + rows("cn_counties.csv")}
        for row in loaded.values():
            if row["level"] in ("prefecture", "county"):
                parent = loaded[row["parent_id/id"]]
                self.assertTrue(row["code"].startswith(parent["code"].rstrip("0")[:4]), row)
                self.assertEqual(row["state_id/id"], parent["state_id/id"], row)

    def test_seven_areas_hold_every_province_once(self):
        provinces = [code for _code, _en, _zh, codes in self.make_data.AREAS for code in codes.split()]
        self.assertEqual(len(provinces), 31)
        self.assertEqual(set(provinces), {row["code"] for row in rows("source/gb2260_provinces.csv")})

    def test_states_are_those_of_the_same_name(self):
        """Guards the traps of Odoo's codes: 蒙 and 蜀, and SX, SN, HA, HE, HN, HI among each other."""
        for row in rows("cn_regions.csv"):
            if row["level"] == "province":
                state = self.env.ref(row["state_id/id"]).with_context(lang="en_US")
                self.assertEqual(state.name, row["name@zh_CN"])

    def test_catalogue(self):
        source = rows("source/nmpa_classification_2017_level3.csv")
        self.assertEqual(len(source), 1142)
        made = rows("channel.device.category.csv")
        self.assertEqual(len({row["code"] for row in made}), len(made))
        by_length = Counter((row["scheme"], len(row["code"])) for row in made)
        self.assertEqual(by_length, {("cn_2017", 2): 22, ("cn_2017", 5): 205, ("cn_2017", 8): 1132, ("cn_2002", 4): 43})
        names = {(row["l3_code"], row["l3_name"]) for row in source}
        self.assertEqual({(row["code"], row["name"]) for row in made if len(row["code"]) == 8}, names)
