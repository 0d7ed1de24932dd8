"""Words that everything about admissions shares: states, roles, fields, and the error that lists what is wrong."""

from odoo.exceptions import UserError

#: States in which an application is still being worked on.
OPEN_STATES = ("draft", "returned", "submitted")
#: States in which the applicant may edit it.
EDITABLE_STATES = ("draft", "returned")
DEVICE_CLASSES = {"I": "device_class_i", "II": "device_class_ii", "III": "device_class_iii"}
#: Roles that trade devices, so that the classes decide which documents they need.
TRADING_ROLES = ("manufacturer", "importer", "distributor", "sub_distributor", "agent", "platform")
#: Particulars of a company: field of the admission -> field of the member.
PARTICULARS = {
    "name": "name",
    "vat": "vat",
    "legal_person": "channel_legal_person",
    "role": "channel_role",
    "country_id": "country_id",
    "state_id": "state_id",
    "city": "city",
    "street": "street",
    "street2": "street2",
    "zip": "zip",
    "phone": "phone",
    "website": "website",
    "lang": "lang",
    "parent_id": "channel_parent_id",
}
#: What an applicant fills in by the portal or the API. Nothing else is ever taken from there.
APPLICANT_FIELDS = (
    "role", "name", "vat", "legal_person", "country_id", "state_id", "city", "street", "street2", "zip", "contact_name",
    "email", "phone", "mobile", "website", "lang", "device_class_i", "device_class_ii", "device_class_iii",
    "region_ids", "product_categ_ids", "customer_ids", "bank_account", "bank_name", "note",
)
#: Task of who reviews an admission.
ACTIVITY_TYPE = "channel_member.mail_activity_type_admission"
#: Source of the alerts about re-audits that are overdue.
REAUDIT_ALERT = "admission_reaudit"
#: Longest line of text that an applicant may give.
MAX_CHAR = 256


class AdmissionError(UserError):
    """Values that cannot be taken over.

    ``errors`` is a list of ``{"field": str, "value": any, "message": str, "remedy": str}``, with ``document`` (the code
    of its type) for a document's field, for forms and programs; the text of the error holds the same.
    """

    def __init__(self, errors):
        super().__init__("\n".join(
            " ".join(filter(None, (
                ".".join(filter(None, (error.get("document"), error.get("field")))) + ":",
                error["message"],
                error.get("remedy") or "",
            )))
            for error in errors
        ))
        self.errors = errors
