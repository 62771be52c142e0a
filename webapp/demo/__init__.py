"""What only a demonstration has: accounts to click, a clock to move, mails to look at. Loaded in demo mode alone."""
