{
    "name": "Channel Order",
    "summary": "Order to cash together with the dealer: transfer, allocation, acceptance, claims, reconciliation",
    "version": "19.0.1.4.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_contract"],
    "external_dependencies": {"python": ["xlsxwriter"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        "security/channel_order_transfer_security.xml",
        "security/channel_account_security.xml",
        "security/channel_acceptance_security.xml",
        "security/channel_allocation_security.xml",
        # Data
        "data/channel_allocation_data.xml",
        "data/channel_account_statement_data.xml",
        "data/channel_acceptance_data.xml",
        "data/channel_order_transfer_data.xml",
        "data/channel_order_dealer_data.xml",
        # Reports
        "report/channel_account_statement_templates.xml",
        "report/channel_acceptance_report.xml",
        # Wizards
        "wizard/channel_order_transfer_decision_views.xml",
        # Views
        "views/channel_order_transfer_views.xml",
        "views/sale_order_transfer_views.xml",
        "views/portal_transfer_templates.xml",
        "views/sale_order_dealer_views.xml",
        "views/product_template_views.xml",
        "views/res_company_dealer_views.xml",
        "views/portal_order_templates.xml",
        "views/channel_account_statement_views.xml",
        "views/channel_account_difference_views.xml",
        "views/account_move_views.xml",
        "views/portal_account_templates.xml",
        "views/channel_acceptance_views.xml",
        "views/channel_claim_views.xml",
        "views/channel_allocation_views.xml",
        "views/portal_acceptance_templates.xml",
        "views/channel_order_menus.xml",
        "views/channel_account_menus.xml",
    ],
    "assets": {
        "web.assets_frontend": [
            "channel_order/static/src/interactions/**/*",
            "channel_order/static/src/scss/**/*",
        ],
        "web.assets_tests": [
            "channel_order/static/tests/tours/**/*",
        ],
    },
    "uninstall_hook": "uninstall_hook",
}
