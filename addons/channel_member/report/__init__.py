from . import report_member_passport
