from . import clause_text, word_diff
