"""Wheels, images, and containers that run the images."""
