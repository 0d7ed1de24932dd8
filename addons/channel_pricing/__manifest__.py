{
    "name": "Channel Pricing",
    "summary": "Prices by segment of member and end customer, explained, the same on order, catalogue and API",
    "version": "19.0.1.2.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_member"],
    "data": [
        # Security
        "security/channel_pricing_groups.xml",
        "security/ir.model.access.csv",
        "security/channel_pricing_security.xml",
        "security/channel_limit_security.xml",
        "security/channel_price_request_security.xml",
        # Data
        "data/ir_sequence_data.xml",
        "data/channel_gate_data.xml",
        "data/channel_price_request_data.xml",
        # Wizards
        "wizard/channel_price_decision_views.xml",
        "wizard/channel_price_update_views.xml",
        # Views
        "views/account_move_views.xml",
        "views/product_pricelist_item_views.xml",
        "views/channel_price_change_views.xml",
        "views/channel_price_version_views.xml",
        "views/product_pricelist_views.xml",
        "views/channel_price_import_views.xml",
        "views/price_steps_templates.xml",
        "views/report_pricelist_templates.xml",
        "views/channel_stacking_policy_views.xml",
        "wizard/channel_price_check_views.xml",
        "wizard/channel_stacking_trial_views.xml",
        "views/sale_order_views.xml",
        "views/channel_price_limit_views.xml",
        "views/channel_discount_limit_views.xml",
        "views/channel_price_request_views.xml",
        "views/sale_order_special_price_views.xml",
        "views/portal_special_price_templates.xml",
        "views/channel_pricing_menus.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "channel_pricing/static/src/configurator/**/*",
            "channel_pricing/static/src/pricelist_report/**/*",
        ],
        "web.assets_tests": [
            "channel_pricing/static/tests/tours/**/*",
        ],
    },
}
