"""The engine in a process of its own: whatever ends it, the studio lives."""
