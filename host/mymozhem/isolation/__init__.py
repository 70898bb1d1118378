"""Worker processes that run isolated code: started on demand, supervised, ended with their host.

`pool` is the host's side. `worker_main` is the program of a worker: it runs in the environment of
its app, where little of the host may be imported, so nothing is imported here.
"""
