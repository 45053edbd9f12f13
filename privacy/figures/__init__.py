"""What staff sees of how people answer: numbers of groups, never of a person."""
