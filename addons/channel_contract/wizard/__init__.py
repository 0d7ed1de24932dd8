from . import channel_contract_answer
from . import channel_contract_comparison
from . import channel_contract_import
from . import channel_contract_sign
from . import channel_contract_decision
from . import channel_contract_original_reject
from . import channel_contract_template_apply
