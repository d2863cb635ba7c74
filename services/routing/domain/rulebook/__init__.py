"""The rulebook: reading it, compiling its conditions into functions, and running its examples."""
