"""Where the sources of rows have got to, and what they sent."""
