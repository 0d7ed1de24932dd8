import json
from importlib.util import module_from_spec, spec_from_file_location

from odoo.tests import HttpCase, tagged
from odoo.tools import file_open, file_path, mute_logger

from odoo.addons.channel_base.tests.common import ChannelCommon


@tagged("post_install", "-at_install")
class TestBoardFiles(ChannelCommon):
    def test_checked_in_boards_are_what_the_script_makes(self):
        spec = spec_from_file_location("make_board", file_path("channel_dashboard/scripts/make_board.py"))
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        for name, text in script.render().items():
            with file_open(f"channel_dashboard/data/files/{name}", "r") as file:
                self.assertEqual(
                    file.read(), text, f"{name} is not what scripts/make_board.py writes: run it and commit"
                )

    def test_every_measure_and_group_of_the_boards_can_be_read(self):
        """The server checks names at installation; here each pivot and chart is really asked for."""
        for board in self.env["spreadsheet.dashboard"].search(
            [("dashboard_group_id", "=", self.env.ref("channel_dashboard.dashboard_group_channel").id)]
        ):
            document = json.loads(board.spreadsheet_data)
            asked = 0
            for pivot in document["pivots"].values():
                measures = [
                    m["fieldName"] if m["fieldName"] == "__count" else self._aggregate(pivot["model"], m["fieldName"])
                    for m in pivot["measures"]
                ]
                self.env[pivot["model"]].formatted_read_group(
                    pivot["domain"], [row["fieldName"] for row in pivot["rows"]], measures
                )
                asked += 1
            for figure in document["sheets"][0]["figures"]:
                chart = figure["data"]
                if "metaData" not in chart:
                    continue
                meta = chart["metaData"]
                measure = meta["measure"]
                self.env[meta["resModel"]].formatted_read_group(
                    chart["searchParams"]["domain"],
                    meta["groupBy"],
                    [measure if measure == "__count" else self._aggregate(meta["resModel"], measure)],
                )
                asked += 1
            self.assertGreaterEqual(asked, 10)

    def _aggregate(self, model, name):
        return f"{name}:{self.env[model]._fields[name].aggregator}"


@tagged("post_install", "-at_install")
class TestBoardAccess(HttpCase, ChannelCommon):
    def _get(self, user):
        self.authenticate(user.login, user.login)
        board = self.env.ref("channel_dashboard.dashboard_executive")
        return self.url_open(f"/spreadsheet/dashboard/data/{board.id}")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.user_executive | cls.user_pricing:
            user.password = user.login

    def test_executive_opens_the_board(self):
        answer = self._get(self.user_executive)
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.json()["snapshot"]["pivots"])

    @mute_logger("odoo.http")
    def test_a_position_without_boards_does_not(self):
        self.assertIn(self._get(self.user_pricing).status_code, (403, 404))
