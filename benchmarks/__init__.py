"""How much slower the product is than the bare thing it stands on; README.md has the method and the figures."""
