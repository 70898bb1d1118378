"""Processes that run isolated code: started on demand, watched, and gone when their host is gone.

`pool` is the host's side. `child` is the program of a worker: it runs in the environment of its
app, where little of the host may be imported, so nothing is imported here.
"""
