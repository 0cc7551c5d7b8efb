"""Registered models: propose one from a reference, register, list, show, revise, retire, remove.

`driftline.models.registered_models.RegisteredModels` has all of it as functions of Python.
"""
