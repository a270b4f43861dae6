"""Members from a file: read (bytes to lines), columns, entries, plan (pure), then stage and apply."""
