"""What each piece of evidence measures in a chunk."""
