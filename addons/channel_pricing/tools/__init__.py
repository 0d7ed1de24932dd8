from .rule_book import RuleBook, in_own_unit
