LAW = (
    "GSP for devices (NMPA notice 2023 No. 153), art. 23; Measures for Device Trading (SAMR order 54, 2022), art. 38",
    "《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第二十三条；《医疗器械经营监督管理办法》（市场监管总局令第54号）第三十八条",
)


def migrate(cr, version):
    """Say on the types of China which law asks to keep them, and which of them are no documents to hand in.

    The types are data that users may change, so that loading the data leaves those in use as they are.
    """
    cr.execute(
        """
        UPDATE channel_qualification_type
           SET retention_law = jsonb_build_object('en_US', %s::text, 'zh_CN', %s::text)
         WHERE code LIKE 'cn\\_%%' AND code != 'cn_fapiao' AND retention_law IS NULL
        """,
        LAW,
    )
    cr.execute(
        "UPDATE channel_qualification_type SET portal_upload = FALSE"
        " WHERE code IN ('cn_nhsa_code', 'cn_nhsa_institution')"
    )
