"""What every page uses: parameters, the style of figures and tables, statements and their scoreboard, results."""
