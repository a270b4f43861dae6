"""What DNS must say of the domains that letters are from."""
