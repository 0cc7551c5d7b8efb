"""What is reported of each chunk, to pages, the API and files."""
