"""Raw data: a file of call-detail records, downloaded from any store, checked line by line, and read in pieces."""
