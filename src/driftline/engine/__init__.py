"""The pure engine: frames and values in, frozen values out. No I/O, no clock, no environment here."""
