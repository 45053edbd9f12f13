"""From the words of a model to HTML that can be trusted (markdown.py), or to a line of plain text (plain.py)."""
