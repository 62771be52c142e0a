"""What is true: units, plans, items, events, figures, rounds, outbox, calendar, rules."""
