{
    "name": "Channel Members",
    "summary": "Members of the channel, their qualifications and their authorizations",
    "version": "19.0.1.0.0",
    "category": "Sales/Channel",
    "author": "Channel Suite contributors",
    "license": "AGPL-3",
    "depends": ["channel_base", "product_expiry"],
    "external_dependencies": {"python": ["python-stdnum"]},
    "data": [
        # Security
        "security/ir.model.access.csv",
        # Data
        "data/ir_sequence_data.xml",
        "data/channel_qualification_type_data.xml",
    ],
}
