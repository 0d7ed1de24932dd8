{
    "name": "Channel Rebate",
    "summary": "Rebate programmes, accrual by difference, settlement by credit note, statements",
    "version": "19.0.1.3.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_contract", "queue_job"],
    "external_dependencies": {"python": ["rapidfuzz", "xlsxwriter"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        "security/channel_rebate_security.xml",
        # Reports
        "report/ir_actions_report.xml",
        "report/channel_rebate_statement_templates.xml",
        # Data
        "data/ir_sequence.xml",
        "data/channel_gate_data.xml",
        "data/ir_cron.xml",
        "data/queue_job.xml",
        # Wizards
        "wizard/channel_rebate_statement_wizard_views.xml",
        # Views
        "views/channel_rebate_entry_views.xml",
        "views/channel_rebate_balance_views.xml",
        "data/channel_rebate_template_data.xml",
        "wizard/channel_rebate_simulation_views.xml",
        "wizard/channel_rebate_template_choice_views.xml",
        "views/channel_rebate_figure_views.xml",
        "views/channel_rebate_program_version_views.xml",
        "views/channel_rebate_program_views.xml",
        "views/channel_rebate_hold_views.xml",
        "views/channel_rebate_correction_views.xml",
        "data/mail_template_data.xml",
        "views/channel_rebate_statement_views.xml",
        "views/channel_dispute_views.xml",
        "views/channel_settlement_views.xml",
        "views/sale_order_views.xml",
        "views/res_company_views.xml",
        "views/res_partner_views.xml",
        "views/portal_templates.xml",
        "views/portal_dispute_templates.xml",
        "views/portal_statement_templates.xml",
        "views/channel_rebate_menus.xml",
    ],
    "assets": {
        "web.assets_tests": [
            "channel_rebate/static/tests/tours/**/*",
        ],
    },
    "pre_init_hook": "pre_init_hook",
    "uninstall_hook": "uninstall_hook",
}
