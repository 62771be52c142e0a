"""What the ledger survives: processes killed, disks filled, servers restarted, mail servers down, clocks set."""
