"""What pages read: SQL selects into small frozen records, a fixed number of statements a page."""
