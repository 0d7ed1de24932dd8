from .rule_book import RuleBook
