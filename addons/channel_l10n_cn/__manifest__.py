{
    "name": "Channel: China",
    "summary": "Law and geography of China for device channels: documents, number formats, regions, catalogue, grades",
    "version": "19.0.1.1.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "countries": ["cn"],
    "depends": ["channel_member", "l10n_cn"],
    "external_dependencies": {"python": ["python-stdnum"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        # Data
        "data/channel_region_data.xml",
        "data/channel.device.category.csv",
        "data/channel.hospital.grade.csv",
        "data/channel_qualification_type_data.xml",
        "data/channel.cn.day.csv",
        "data/channel_gate_check_data.xml",
        # Wizards
        "wizard/channel_cn_county_load_views.xml",
        # Views
        "views/channel_cn_day_views.xml",
        "views/account_move_views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
}
