from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestRegions(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.regions = cls.env["channel.region"]
        cls.china = cls.env.ref("base.cn")
        cls.zhejiang = cls.env.ref("base.state_cn_ZJ")
        cls.hangzhou = cls.env.ref("channel_l10n_cn.cn_330100")

    def region_of(self, state, city):
        address = (self.china.id, state and self.env.ref(f"base.state_cn_{state}").id, city)
        return self.regions.browse(self.regions._regions_of_addresses([address])[address])

    def test_tree(self):
        path = []
        region = self.hangzhou.with_context(lang="en_US")
        while region:
            path.append((region.level, region.code, region.name))
            region = region.parent_id
        self.assertEqual(path, [
            ("prefecture", "330100", "Hangzhou"),
            ("province", "330000", "Zhejiang"),
            ("area", "east", "East China"),
            ("country", "CN", "China"),
        ])
        self.assertEqual(self.hangzhou.state_id, self.zhejiang)

    def test_addresses(self):
        for city in ("杭州", "杭州市", "Hangzhou", "HANGZHOU CITY", " 杭州 市"):
            self.assertEqual(self.region_of("ZJ", city), self.hangzhou, city)
            self.assertEqual(self.region_of(None, city), self.hangzhou, city)
        for state, city, xml_id in (
            ("ZJ", "温岭路", "cn_330000"),  # unknown city: the province
            ("BJ", False, "cn_110000"),
            ("BJ", "北京市", "cn_110000"),  # no pseudo-city 市辖区 between
            ("HA", "济源市", "cn_419001"),  # county directly under its province
            ("HK", "九龙", "cn_810000"),
            ("NM", "呼和浩特", "cn_150100"),
            ("SC", "成都", "cn_510100"),
            ("QH", "海南藏族自治州", "cn_632500"),
            (None, "海南", "cn_460000"),  # the province, although a prefecture of Qinghai begins with it
            (None, "Suzhou", "cn_area_east"),  # 苏州 and 宿州: only the area is sure
            (None, False, "cn"),
        ):
            with self.subTest(city):
                self.assertEqual(self.region_of(state, city), self.env.ref(f"channel_l10n_cn.{xml_id}"))

    def test_chinese_names_come_with_the_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["channel_l10n_cn"], ["zh_CN"])
        self.assertEqual(self.hangzhou.with_context(lang="zh_CN").name, "杭州市")
        self.assertEqual(self.env.ref("channel_l10n_cn.cn_area_east").with_context(lang="zh_CN").name, "华东")

    def test_loading_again_keeps_what_people_decided(self):
        jiangxi = self.env.ref("channel_l10n_cn.cn_360000")
        central = self.env.ref("channel_l10n_cn.cn_area_central")
        user = self.env.ref("base.user_admin")
        jiangxi.write({
            "parent_id": central.id, "match_names": "Kiangsi", "user_ids": [(4, user.id)], "name": "Wrong name"
        })
        self.hangzhou.action_archive()
        created = self.regions._l10n_cn_load()
        self.assertFalse(created)
        self.assertRecordValues(jiangxi, [{"parent_id": central.id, "user_ids": user.ids}])
        self.assertEqual(jiangxi.with_context(lang="en_US").name, "Jiangxi")
        self.assertEqual(jiangxi.match_names.splitlines()[0], "Kiangsi")
        self.assertIn("江西省", jiangxi.match_names.splitlines())
        self.assertFalse(self.hangzhou.active)

    def test_loading_again_writes_nothing_when_nothing_changed(self):
        self.env.flush_all()
        before = self.regions.search([]).mapped("write_date")
        self.env.cr.execute("SELECT sum(n_tup_upd) FROM pg_stat_xact_user_tables WHERE relname = 'channel_region'")
        [updates] = self.env.cr.fetchone()
        self.regions._l10n_cn_load()
        self.env.flush_all()
        self.env.cr.execute("SELECT sum(n_tup_upd) FROM pg_stat_xact_user_tables WHERE relname = 'channel_region'")
        [after] = self.env.cr.fetchone()
        # The only statement that may touch a row again is the one that lays translations over the names.
        self.assertLessEqual(after - updates, len(before))
        self.assertEqual(self.regions.search([]).mapped("write_date"), before)

    def test_counties_are_loaded_once_and_set_based(self):
        self.assertFalse(self.regions._l10n_cn_counties_loaded())
        # A county that somebody has made by hand is adopted.
        by_hand = self.regions.create({
            "name": "Yiwu",
            "code": "330782",
            "level": "county",
            "parent_id": self.env.ref("channel_l10n_cn.cn_330700").id,
        })
        start = self.env.cr.sql_log_count
        created = self.regions._l10n_cn_load(counties=True)
        self.env.flush_all()
        queries = self.env.cr.sql_log_count - start
        self.assertEqual(len(created), 2941)
        self.assertLess(queries, 200, "loading is set-based: far fewer queries than counties")
        self.assertEqual(self.env.ref("channel_l10n_cn.cn_330782"), by_hand)
        # Districts of a municipality hang under it, without 市辖区 between.
        self.assertEqual(
            self.env.ref("channel_l10n_cn.cn_110101").parent_id, self.env.ref("channel_l10n_cn.cn_110000")
        )
        self.assertEqual(self.region_of("ZJ", "义乌"), by_hand)
        self.assertEqual(self.region_of("ZJ", "西湖区").code, "330106")
        self.assertEqual(self.region_of("ZJ", "杭州"), self.hangzhou)
        self.assertFalse(self.regions._l10n_cn_load(counties=True))
        # From now on an ordinary update looks after them too.
        self.env.ref("channel_l10n_cn.cn_330106").with_context(lang="en_US").name = "Xihu"
        self.regions._l10n_cn_load()
        self.assertEqual(self.env.ref("channel_l10n_cn.cn_330106").with_context(lang="en_US").name, "Xihu District")

    def test_counties_of_an_archived_prefecture_are_archived(self):
        self.hangzhou.action_archive()
        created = self.regions._l10n_cn_load(counties=True)
        self.assertEqual(len(created), 2942)
        self.assertEqual(set((created - created.filtered("active")).parent_id), {self.hangzhou})

    def test_wizard_is_for_administrators(self):
        admin = new_test_user(self.env, "cn_admin", groups="base.group_user,channel_base.group_channel_admin")
        wizard = self.env["channel.cn.county.load"].with_user(admin).create({})
        self.assertFalse(wizard.loaded)
        action = wizard.action_load()
        self.assertEqual(self.regions.search_count(action["domain"]), 2974)
        manager = new_test_user(self.env, "cn_manager", groups="base.group_user,channel_base.group_channel_manager")
        with self.assertRaises(AccessError):
            self.env["channel.cn.county.load"].with_user(manager).create({})

    def test_an_update_does_not_take_the_regions_away(self):
        data = self.env["ir.model.data"].search([
            ("module", "=", "channel_l10n_cn"), ("model", "=", "channel.region")
        ])
        self.assertEqual(len(data), 407)
        self.assertTrue(all(data.mapped("noupdate")))
