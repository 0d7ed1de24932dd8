{
    "name": "Channel Contract",
    "summary": "Contracts with versions, approval and PDF, which govern prices, authorizations and the gate",
    "version": "19.0.1.2.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_pricing", "certificate"],
    "external_dependencies": {"python": ["pyhanko"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        "security/channel_contract_security.xml",
        "security/channel_clause_security.xml",
        # Data
        "data/ir_sequence_data.xml",
        "data/channel_contract_type_data.xml",
        "data/channel_gate_data.xml",
        "data/ir_cron_data.xml",
        # Reports
        "report/channel_contract_templates.xml",
        "report/ir_actions_report.xml",
        "report/channel_contract_comparison_templates.xml",
        # Wizards
        "wizard/channel_contract_template_apply_views.xml",
        "wizard/channel_contract_comparison_views.xml",
        # Views
        "views/channel_clause_category_views.xml",
        "views/channel_clause_version_views.xml",
        "views/channel_clause_views.xml",
        "views/channel_contract_template_views.xml",
        "views/channel_contract_version_views.xml",
        "views/channel_contract_type_views.xml",
        "views/channel_contract_views.xml",
        "views/channel_authorization_views.xml",
        "views/res_partner_views.xml",
        "views/sale_order_views.xml",
        "views/portal_templates.xml",
        "views/channel_contract_menus.xml",
    ],
    "assets": {
        "web.assets_backend": ["channel_contract/static/src/comparison.scss"],
        "web.assets_frontend": ["channel_contract/static/src/comparison.scss"],
        "web.report_assets_common": [
            "channel_contract/static/src/comparison.scss",
            "channel_contract/static/src/contract_document.scss",
        ],
    },
}
