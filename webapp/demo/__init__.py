"""What only a demonstration has: accounts to click, a clock to move, the mails that were sent. Loaded in demo mode alone."""
