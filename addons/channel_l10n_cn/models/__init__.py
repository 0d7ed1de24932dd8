from . import account_move
from . import channel_cn_day
from . import channel_gate_check
from . import channel_qualification
from . import channel_qualification_type
from . import channel_region
from . import ir_module_module
from . import res_partner
