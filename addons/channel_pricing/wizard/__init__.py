from . import channel_price_check
from . import channel_price_decision
from . import channel_price_update
from . import channel_price_update_line
from . import channel_price_issue_accept
from . import channel_stacking_trial
from . import channel_stacking_trial_line
