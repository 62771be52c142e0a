"""Runs diagrams: parser hooks, instances, the commands people give, advancing, ticks, mail."""
