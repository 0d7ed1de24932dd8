from . import channel_stacking_trial
from . import channel_stacking_trial_line
from . import channel_price_decision
