"""Utskick, the people side: members, what they chose, what they consented to. Imports nothing of mailer."""
