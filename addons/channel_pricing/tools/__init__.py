from . import stacking
from .basket import Basket, break_quantity
from .rule_book import RuleBook, in_own_unit
