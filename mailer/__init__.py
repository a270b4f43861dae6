"""Utskick, the post side: news, digests, the outbox, providers, pages and commands."""
