from . import channel_rebate_simulation
from . import channel_rebate_simulation_line
from . import channel_rebate_statement_wizard
from . import channel_rebate_template_choice
from . import channel_rebate_statement_batch
