{
    "name": "Channel Base",
    "summary": "Regions, segments, versions, approvals, gate, audit journal and alerts",
    "version": "19.0.1.0.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": [
        "sale_management",
        "sale_stock",
        "account",
        "partnership",
        "portal",
        "product_expiry",
        "base_tier_validation",
        "base_tier_validation_formula",
    ],
    "data": [
        # Security
        "security/channel_groups.xml",
        "security/ir.model.access.csv",
        # Data
        "data/channel_gate_data.xml",
        "data/channel_alert_data.xml",
        "data/channel_cron_data.xml",
        # Views
        "wizard/channel_gate_override_views.xml",
        "views/channel_gate_check_views.xml",
        "views/channel_gate_finding_views.xml",
        "views/account_move_views.xml",
        "views/sale_order_views.xml",
        "views/stock_picking_views.xml",
        "views/channel_menus.xml",
    ],
    "uninstall_hook": "uninstall_hook",
}
