"""Which drifts are found, how soon, and how often an alarm is false: on streams whose truth is known."""
