"""The return desk: what comes back after a mail was sent, what it says of an address, and what follows from it."""
