{
    "name": "Channel Dashboard",
    "summary": "Boards and reporting models: revenue, coverage, conversion, stock turns, rebates, risk",
    "version": "19.0.1.0.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_rebate", "spreadsheet_dashboard"],
    "data": [
        # Security
        "security/ir.model.access.csv",
        "security/channel_dashboard_rules.xml",
        # Views
        "report/channel_report_views.xml",
        "views/channel_dashboard_menus.xml",
        # Boards open the menus, so they come last
        "data/dashboards.xml",
    ],
}
