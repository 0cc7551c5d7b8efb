"""Random numbers named by seed, purpose and day, so any day can be drawn without the days before it. No I/O here."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of random numbers is for; the numbers are part of the world's identity and never change."""

    CUSTOMER = 1
    HEAVY_CUSTOMER = 2
    HEAVY_ORDER = 3
    NUMBER = 4
    SILENCE = 5
    SMS = 6
    DATA = 7
    SPELL = 20
    CHANCE = 21
    NOISE = 22
    STAMP = 23
    LABEL = 30
    LABEL_DAY = 31
    MISSING = 40
    PARTS = 50


def generator(seed: int, purpose: Purpose, *keys: int) -> np.random.Generator:
    """Return the random numbers of one purpose and key (such as a day's ordinal).

    Philox is counter-based: generators of different keys are independent whatever was drawn from the others
    (Salmon et al. 2011; `numpy.random.SeedSequence` spreads the key).
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(int(purpose), *keys))
    return np.random.Generator(np.random.Philox(sequence))
