"""What a command costs, against the bare transaction it cannot go below."""
