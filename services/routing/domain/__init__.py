"""The engine of the rulebook: facts and law in, a decision out. Pure: no clock, no input or output, no ids drawn."""
