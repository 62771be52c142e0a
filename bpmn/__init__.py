"""The language and the library: dialect, safe expressions, linter, layout, plan and lifecycle diagrams."""
