from . import channel_acceptance_api_mixin  # first: the acceptance inherits it
from . import channel_acceptance
from . import channel_acceptance_line
from . import channel_contract_version
from . import channel_order_input_mixin  # first: the orders inherit it
from . import channel_order_cart_mixin
from . import channel_order
from . import channel_order_transfer_proposal_mixin  # first: the transfer inherits it
from . import channel_order_transfer
from . import channel_order_transfer_line
from . import sale_order
from . import sale_order_line
from . import product_template
from . import res_company
from . import sale_order_dealer
from . import channel_account_statement_content_mixin  # first: the statement inherits both
from . import channel_account_statement_match_mixin
from . import channel_account_statement
from . import channel_account_match
from . import channel_account_difference
from . import account_move
from . import res_company_invoicing
from . import sale_order_line_invoicing
from . import stock_picking
from . import stock_move_line
from . import channel_claim
from . import channel_claim_line
from . import channel_allocation
from . import channel_allocation_line
from . import channel_allocation_rule
from . import channel_lot_hold
from . import stock_lot
from . import stock_quant
from . import stock_move
from . import channel_gate
