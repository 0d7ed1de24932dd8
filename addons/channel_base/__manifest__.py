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
        # Views
        "views/channel_menus.xml",
    ],
}
