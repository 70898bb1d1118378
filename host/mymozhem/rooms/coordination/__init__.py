"""In-memory coordination within one process: mutexes and batches, lost on restart."""
