{
    "name": "Channel Suite: tests of the suite",
    "summary": "Models that only tests need, and the tests that cross add-ons",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_dashboard", "channel_l10n_cn", "channel_order"],
    "data": [
        "security/ir.model.access.csv",
    ],
    "assets": {
        "web.assets_tests": [
            "test_channel/static/tests/tours/**/*",
        ],
    },
}
