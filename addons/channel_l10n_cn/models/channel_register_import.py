from odoo import api, models

# Field names of the UDID database (NMPA), and the headers of the lists that provincial and city offices publish.
COLUMNS = {
    "key": ["zxxsdycpbs", "最小销售单元产品标识", "产品标识"],
    "number": [
        "zczbhhzbapzbh", "注册证编号", "注册证号", "注册证编号或者备案凭证编号", "备案号", "备案编号", "备案凭证编号",
        "许可证编号", "许可证号", "经营许可证编号", "经营备案编号", "生产许可证编号",
    ],
    "name": ["cpmctymc", "产品名称", "产品名称通用名称", "医疗器械名称"],
    "holder_name": [
        "ylqxzcrbarmc", "注册人名称", "备案人名称", "医疗器械注册人备案人名称", "注册人备案人名称", "企业名称",
        "经营企业名称", "生产企业名称",
    ],
    "holder_code": ["tyshxydm", "统一社会信用代码", "社会信用代码", "组织机构代码统一社会信用代码"],
    "person": ["法定代表人", "法人", "负责人"],
    "address": ["住所", "注册人住所", "企业住所", "注册地址"],
    "issuer": ["发证机关", "发证部门", "审批部门", "备案部门", "批准部门"],
    "date_from": ["发证日期", "批准日期", "许可期限自", "有效期自", "备案日期", "生效日期"],
    "date_to": ["有效期至", "有效期限", "有效期限至", "许可期限至", "有效期"],
    "device_class": ["管理类别", "产品管理类别", "器械类别"],
    "category_codes": ["flbm", "yflbm", "分类编码", "分类目录"],
    "scope_text": ["经营范围", "生产范围", "许可范围"],
    "status": ["状态", "证书状态", "许可证状态", "注册证状态"],
    "version": ["versionnumber", "版本号"],
}
WORDS = {
    "device_class": {
        "I": ["一类", "第一类", "Ⅰ类", "I类"],
        "II": ["二类", "第二类", "Ⅱ类", "II类"],
        "III": ["三类", "第三类", "Ⅲ类", "III类"],
    },
    "status": {
        "in_force": ["有效", "正常", "在用", "存续", "现行有效"],
        "cancelled": ["注销", "已注销", "吊销", "已吊销", "撤销", "已撤销", "失效", "无效", "作废"],
        "suspended": ["暂停", "中止"],
    },
}


class ChannelRegisterImport(models.Model):
    """Headers and words of Chinese lists: the UDID database, and lists of licences and certificates."""

    _inherit = "channel.register.import"

    @api.model
    def _columns(self):
        return {field: [*headers, *COLUMNS.get(field, ())] for field, headers in super()._columns().items()}

    @api.model
    def _words(self):
        return {
            field: {value: [*words, *WORDS[field].get(value, ())] for value, words in of_field.items()}
            for field, of_field in super()._words().items()
        }
