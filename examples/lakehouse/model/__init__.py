"""The model of delivery times: how it is trained on the lake and scores what is new there."""
