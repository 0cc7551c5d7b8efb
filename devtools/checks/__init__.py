"""Programs that examine the checkout and change nothing in it."""
