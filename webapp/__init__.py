"""What people see: inbox, ledger, plan page, administration, command line."""
