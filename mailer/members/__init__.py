"""What the register and the post office do together for one member: let them in, show what is held, forget."""
