"""What a batch is: rows and frames as its content, and the name of its file."""
