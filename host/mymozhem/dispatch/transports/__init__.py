"""How a hook call reaches an app: in-process, isolated or by webhook."""
