"""In-memory tools for asyncio that know nothing of rooms."""
