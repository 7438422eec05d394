"""The mixer against the published stream of splitmix64."""

from __future__ import annotations

import numpy as np

from promfill.sources.signals.mix import mix


def test_the_words_of_splitmix64() -> None:
    state = 1234567 + np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert mix(state).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_it_works_in_place_and_with_scratch() -> None:
    words = np.arange(6, dtype=np.uint64).reshape(2, 3)
    fresh = mix(words.copy())
    assert mix(words, np.empty_like(words)) is words
    assert np.array_equal(words, fresh)
