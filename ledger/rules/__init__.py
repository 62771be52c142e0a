"""Pure rules: values and `now` in, values out. No database, no clock, standard library only (calendar excepted)."""
