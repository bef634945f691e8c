"""Servers that look like GitHub, Facebook, X and LinkedIn: see __main__."""
