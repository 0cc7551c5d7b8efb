"""Models: how they are trained, calibrated, compared, saved and described."""
