{
    "name": "Channel Demonstration Story",
    "summary": "A Chinese device maker, its dealers and hospitals, and one year of their business",
    "version": "19.0.1.0.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": [
        "channel_dashboard",
        "channel_l10n_cn",
        "channel_order",
    ],
    "post_init_hook": "post_init_hook",
}
