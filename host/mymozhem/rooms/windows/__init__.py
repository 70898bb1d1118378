"""Windows: spans in which everybody answers, counted, judged and settled by the host."""
