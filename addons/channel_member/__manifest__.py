{
    "name": "Channel Members",
    "summary": "Members of the channel, their qualifications and their authorizations",
    "version": "19.0.1.1.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_base", "product_expiry"],
    "external_dependencies": {"python": ["python-stdnum"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        "security/channel_member_security.xml",
        "security/channel_tier_security.xml",
        # Reports
        "report/channel_authorization_report.xml",
        "report/channel_authorization_templates.xml",
        "report/channel_member_passport_report.xml",
        "report/channel_member_passport_templates.xml",
        # Data
        "data/ir_sequence_data.xml",
        "data/channel_qualification_type_data.xml",
        "data/channel_gate_check_data.xml",
        "data/ir_cron_data.xml",
        # Wizards
        "wizard/channel_member_decision_views.xml",
        # Views
        "views/channel_authorization_conflict_views.xml",
        "views/channel_authorization_views.xml",
        "views/channel_device_category_views.xml",
        "views/channel_hospital_grade_views.xml",
        "views/channel_qualification_type_views.xml",
        "views/channel_qualification_views.xml",
        "views/channel_tier_rule_views.xml",
        "views/channel_tier_review_views.xml",
        "views/channel_tier_score_views.xml",
        "views/portal_templates.xml",
        "views/product_views.xml",
        "views/res_partner_views.xml",
        "views/channel_member_menus.xml",
        "views/channel_member_screens.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "channel_member/static/src/authorization_matrix/*",
            "channel_member/static/src/member_passport/*",
        ],
        "web.report_assets_common": [
            "channel_member/static/src/member_passport/member_passport.scss",
        ],
        "web.assets_unit_tests": [
            "channel_member/static/tests/**/*.test.js",
        ],
    },
}
