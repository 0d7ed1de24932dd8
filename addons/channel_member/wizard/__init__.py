from . import base_partner_merge
from . import channel_decision_mixin  # first: the wizards of decisions inherit it
from . import channel_admission_decision
from . import channel_admission_decision_line
from . import channel_member_change
from . import channel_member_decision
from . import channel_scope_review
from . import channel_scope_review_line
from . import channel_region_reassign
from . import channel_region_reassign_line
from . import channel_member_import_mixin
from . import channel_member_import
from . import channel_qualification_import
from . import channel_authorization_import
