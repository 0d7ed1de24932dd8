"""Texts of the clause library: examples in English and Chinese, variables in double braces."""

CATEGORIES = (
    ("commercial", "Commercial terms", "商务条款"),
    ("quality", "Quality and traceability", "质量与追溯"),
    ("legal", "Compliance and law", "合规与法律"),
)

CLAUSES = (
    {
        "code": "APPOINT",
        "category": "commercial",
        "en": (
            "Appointment",
            "{{ company_name }} appoints {{ member_name }} to distribute the medical devices named in its letters of "
            "authorization, in the territory and to the hospitals named there. No other right is granted.",
        ),
        "zh": (
            "经销授权",
            "{{ company_name }}授权{{ member_name }}在授权书载明的区域内，"
            "向授权书载明的医疗机构经销授权书所列医疗器械。除此之外不授予任何其他权利。",
        ),
    },
    {
        "code": "PRICE",
        "category": "commercial",
        "en": (
            "Prices",
            "Prices are those of the price table “{{ price_table }}” in force on the day of the order, in "
            "{{ currency }}, without value-added tax. A special price holds for its quantity and its term only.",
        ),
        "zh": (
            "价格",
            "价格以订单日有效的价格表“{{ price_table }}”为准，币种为{{ currency }}，不含增值税。"
            "特价仅在其约定的数量和期限内有效。",
        ),
    },
    {
        "code": "PAY",
        "category": "commercial",
        "level": 2,
        "guidance": "The fallback may be offered to gold dealers that paid on time for a year.",
        "en": (
            "Payment",
            "Invoices are paid according to the payment terms “{{ payment_terms }}”. Who is late pays 0.05 % of the "
            "amount due for each day.",
        ),
        "zh": (
            "付款",
            "发票按付款条件“{{ payment_terms }}”支付。逾期付款的，每逾期一日按应付金额的万分之五支付违约金。",
        ),
        "fallback_en": (
            "Payment",
            "Invoices are paid according to the payment terms “{{ payment_terms }}”. Interest for late payment is due "
            "from the tenth day after a written reminder.",
        ),
        "fallback_zh": (
            "付款",
            "发票按付款条件“{{ payment_terms }}”支付。逾期付款的，自书面催告后第十日起计付违约金。",
        ),
    },
    {
        "code": "COMMIT",
        "category": "commercial",
        "en": ("Purchase commitment", "The dealer commits itself to: {{ commitments }}"),
        "zh": ("采购承诺", "经销商承诺：{{ commitments }}"),
    },
    {
        "code": "QUALITY",
        "category": "quality",
        "en": (
            "Quality responsibility",
            "Each party answers for the quality of the devices in the section of the chain that it holds, stores and "
            "transports them within the conditions of their labels, cold chain included, and hands over the documents "
            "that the law asks for.",
        ),
        "zh": (
            "质量责任",
            "双方各自对其所负责环节的医疗器械质量承担责任，按照标签标示的条件（包括冷链）贮存和运输，并交付法律法规要求的随货文件。",
        ),
    },
    {
        "code": "TRACE",
        "category": "quality",
        "en": (
            "Traceability and recall",
            "The dealer keeps records by lot or serial number for as long as the law asks, at least five years, and "
            "within two working days stops sales and reports its stock when the company announces a recall.",
        ),
        "zh": (
            "追溯与召回",
            "经销商应按批号或序列号保存购销记录，保存期限符合法律法规规定且不少于五年；接到召回通知后，应在两个工作日内停止销售并报告库存。",
        ),
    },
    {
        "code": "COMPLY",
        "category": "legal",
        "en": (
            "Compliance",
            "Rebates and discounts are open, agreed in writing, and booked truthfully by both parties. Neither offers "
            "nor gives anything of value to health professionals for a purchase.",
        ),
        "zh": (
            "商业合规",
            "返利和折扣须公开、书面约定并由双方如实入账。任何一方不得为促成采购向医务人员提供或给予任何财物或其他利益。",
        ),
    },
    {
        "code": "TERM",
        "category": "legal",
        "level": 1,
        "guidance": "A longer notice period is no great concession.",
        "en": (
            "Term and termination",
            "This agreement holds from {{ valid_from }} to {{ valid_to ||| further notice }}. Either party may give "
            "notice {{ notice_days }} days before the end. It ends at once when a licence that it rests on is "
            "withdrawn.",
        ),
        "zh": (
            "期限与终止",
            "本合同自{{ valid_from }}起至{{ valid_to ||| 另行通知时 }}止。"
            "任何一方可在期满前{{ notice_days }}日书面通知不再续约。"
            "作为履约前提的许可被撤销的，本合同即行终止。",
        ),
        "fallback_en": (
            "Term and termination",
            "This agreement holds from {{ valid_from }} to {{ valid_to ||| further notice }}. Notice is given six "
            "months before the end. It ends at once when a licence that it rests on is withdrawn.",
        ),
        "fallback_zh": (
            "期限与终止",
            "本合同自{{ valid_from }}起至{{ valid_to ||| 另行通知时 }}止。不再续约的，应在期满前六个月书面通知对方。"
            "作为履约前提的许可被撤销的，本合同即行终止。",
        ),
    },
    {
        "code": "LAW",
        "category": "legal",
        "en": (
            "Law and disputes",
            "The law of the People's Republic of China applies. Disputes that the parties cannot settle go to the "
            "people's court at the seat of {{ company_name }}.",
        ),
        "zh": (
            "适用法律与争议解决",
            "本合同适用中华人民共和国法律。双方协商不成的，向{{ company_name }}所在地人民法院提起诉讼。",
        ),
    },
)
